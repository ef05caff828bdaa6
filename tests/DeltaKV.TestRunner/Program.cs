// Runs the test assemblies beside it in this process, for machines without the .NET SDK.
// DeltaKV.TestRunner [-v] [-j N] [FILTER...]   a test runs when its display name contains any FILTER; all run without one.
using System.Diagnostics;
using System.Reflection;
using DeltaKV.TestRunner;
using Xunit.Sdk;

var verbose = args.Contains("-v");
var at = Array.IndexOf(args, "-j");
int? parallel = at >= 0 ? int.Parse(args[at + 1], System.Globalization.CultureInfo.InvariantCulture) : null;
var filters = args.Where((arg, i) => !arg.StartsWith('-') && (at < 0 || i != at + 1)).ToList();
var clock = Stopwatch.StartNew();
var (passed, failed, skipped) = (0, 0, 0);
foreach (var path in Directory.GetFiles(AppContext.BaseDirectory, "DeltaKV*.Tests.dll").Order(StringComparer.Ordinal))
{
    var name = AssemblyName.GetAssemblyName(path);
    var options = new RunOptions();
    if (parallel is not null)
        options.SetValue("xunit.execution.MaxParallelThreads", parallel);
    using var framework = new XunitTestFramework(new NullMessageSink());
    using var collected = new CollectSink();
    using var discoverer = framework.GetDiscoverer(new ReflectionAssemblyInfo(Assembly.Load(name)));
    discoverer.Find(false, collected, options);
    collected.WaitForEnd();
    var cases = collected.Cases.Where(test => filters.Count == 0 || filters.Any(filter => test.DisplayName.Contains(filter, StringComparison.Ordinal))).ToList();
    Console.WriteLine($"{name.Name}: {cases.Count} of {collected.Cases.Count} test cases");
    if (cases.Count == 0)
        continue;
    using var sink = new ReportSink(verbose);
    using var executor = framework.GetExecutor(name);
    executor.RunTests(cases, sink, options);
    sink.WaitForEnd();
    (passed, failed, skipped) = (passed + sink.Passed, failed + sink.Failed, skipped + sink.Skipped);
}

Console.WriteLine($"{clock.Elapsed.TotalSeconds:f1} s");
Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
return failed == 0 && passed > 0 ? 0 : 1;
