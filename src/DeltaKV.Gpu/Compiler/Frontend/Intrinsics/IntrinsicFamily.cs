namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Emits a call of one of its members and pushes the result; false when the member is not one of them and has to be inlined.</summary>
internal delegate bool IntrinsicFamily(Translator translator, CallTarget call, StackItem[] arguments);
