using BenchmarkDotNet.Running;
using DeltaKV.Benchmarks.Host;
using DeltaKV.Benchmarks.Kernels;

// kernels [--only PREFIX,...] [--twins FILE] [--peers FILE] [--out DIRECTORY] [--dump DIRECTORY]   the event-timed table of GPU kernels
// host [BenchmarkDotNet options]   everything on the host, in this process
switch (args)
{
    case ["kernels", .. var rest]:
        return KernelBenchmark.Run(KernelBenchmarkOptions.Parse(rest));
    case ["host", .. var rest]:
        BenchmarkSwitcher.FromAssembly(typeof(InProcessConfig).Assembly).Run(rest, new InProcessConfig());
        return 0;
    default:
        Console.Error.WriteLine("Usage: kernels [--only PREFIX,...] [--twins FILE] [--peers FILE] [--out DIRECTORY] [--dump DIRECTORY] | host [--filter *]");
        return 2;
}
