namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>
/// Emits a call of one of its members and gives the result, <see cref="StackItem.Nothing"/> where it has none; or
/// <see cref="StackItem.NotMine"/>, and the member has to be inlined.
/// </summary>
internal delegate StackItem? IntrinsicFamily(Translator translator, CallTarget call, StackItem[] arguments);
