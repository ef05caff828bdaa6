using DeltaKV.Cli;

using var interrupts = new Interrupts();
using var signals = interrupts.Listen();
return await CommandLine.RunAsync(args, Terminal.OfProcess(interrupts));
