namespace DeltaKV.Gpu.Compiler;

/// <summary>One parameter of a compiled kernel, as the launch passes it.</summary>
/// <param name="Name">The C# name.</param>
/// <param name="Type">The C# type; for an implicitly grouped kernel's first parameter the index type, which carries the extent.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Alignment">Its alignment in bytes.</param>
internal sealed record KernelParameter(string Name, Type Type, int Size, int Alignment);
