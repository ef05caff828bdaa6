using DeltaKV.Gpu.Runtime.Cuda;

namespace DeltaKV.Gpu;

public sealed partial class Context
{
    /// <summary>Collects the devices and options of a context.</summary>
    public sealed class Builder
    {
        private readonly List<Device> devices = [];
        private string? cacheDirectory;
        private long cacheBytes = 512L << 20;
        private bool cacheOff;

        internal Builder()
        {
        }

        internal IReadOnlyList<Device> Devices => devices;

        internal CudaUnavailableException? CudaProblem { get; private set; }

        internal string? DumpDirectory { get; private set; }

        internal bool BlockingLaunches { get; private set; }

        /// <summary>All devices.</summary>
        public Builder Default() => AllAccelerators();

        /// <summary>All devices.</summary>
        public Builder AllAccelerators() => Cuda().CPU();

        /// <summary>All GPUs; none, without an error, where there is no usable driver (see <see cref="Context.CudaProblem"/>).</summary>
        public Builder Cuda() => Cuda(_ => true);

        /// <summary>The GPUs that satisfy a condition.</summary>
        public Builder Cuda(Predicate<CudaDevice> predicate)
        {
            ArgumentNullException.ThrowIfNull(predicate);
            CudaProblem = CudaPlatform.TryGetDevices(out var found);
            devices.AddRange(found.Where(device => predicate(device)));
            return this;
        }

        /// <summary>The CPU accelerator on all cores.</summary>
        public Builder CPU() => CPU(CPUDevice.Default);

        /// <summary>The CPU accelerator on all cores.</summary>
        public Builder DefaultCPU() => CPU();

        /// <summary>A CPU accelerator with options of its own.</summary>
        public Builder CPU(CPUDevice device)
        {
            ArgumentNullException.ThrowIfNull(device);
            devices.Add(device);
            return this;
        }

        /// <summary>Extension: a CPU accelerator that checks every memory access and barrier.</summary>
        public Builder Sanitizer() => CPU(CPUDevice.Sanitizer);

        /// <summary>Accepted for ILGPU's sake: profiling markers always work.</summary>
        public Builder Profiling() => this;

        /// <summary>Extension: keeps compiled kernels in this directory, at most so many bytes of them.</summary>
        /// <remarks>The default is <c>DELTAKV_CACHE_DIR</c>, else a folder under the user's local application data, 512 MiB.</remarks>
        public Builder KernelCache(string directory, long maxBytes = 512L << 20)
        {
            ArgumentException.ThrowIfNullOrEmpty(directory);
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
            (cacheDirectory, cacheBytes) = (directory, maxBytes);
            return this;
        }

        /// <summary>Extension: keeps nothing on disk.</summary>
        public Builder NoKernelCache()
        {
            cacheOff = true;
            return this;
        }

        /// <summary>Extension: writes the PTX of every loaded kernel to a directory; <c>DELTAKV_DUMP</c> does the same.</summary>
        public Builder DumpPtx(string directory)
        {
            ArgumentException.ThrowIfNullOrEmpty(directory);
            DumpDirectory = directory;
            return this;
        }

        /// <summary>
        /// Extension: waits after every launch, so that a device fault is reported by the launch that caused it; slow.
        /// <c>DELTAKV_LAUNCH_BLOCKING=1</c> does the same.
        /// </summary>
        public Builder SynchronousLaunches()
        {
            BlockingLaunches = true;
            return this;
        }

        /// <summary>Creates the context.</summary>
        public Context ToContext() => new(this);

        internal CubinCache? CreateCache() => cacheOff ? null : new CubinCache(cacheDirectory ?? CubinCache.DefaultDirectory, cacheBytes);
    }
}
