using System.Reflection;

namespace DeltaKV.Gpu.Runtime;

/// <summary>What makes two loads the same kernel. A closed generic method is its own <see cref="MethodInfo"/>.</summary>
internal readonly record struct KernelKey(MethodInfo Method, bool ImplicitlyGrouped, KernelSpecialization Specialization);
