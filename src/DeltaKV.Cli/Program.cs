using DeltaKV.Cli;

return await CommandLine.RunAsync(args, Terminal.OfProcess());
