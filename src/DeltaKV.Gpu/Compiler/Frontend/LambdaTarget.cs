using System.Reflection;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>A delegate made from a static lambda, known at compile time.</summary>
internal sealed record LambdaTarget(MethodBase Method);
