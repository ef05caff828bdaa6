using System.Globalization;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;
using DeltaKV.Gpu.Compiler.Library;
using DeltaKV.Gpu.Compiler.Ptx;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Shared and local arrays, atomics, and references as <c>Unsafe</c> and <c>Volatile</c> treat them.</summary>
internal static class MemoryIntrinsics
{
    public static StackItem? EmitShared(Translator translator, CallTarget call, StackItem[] arguments)
    {
        var element = TypeLayout.Of(call.GenericArguments[0]);
        if (call.Name == nameof(SharedMemory.GetDynamic))
        {
            translator.Function.UsesDynamicShared = true;
            var dynamic = new MemoryVariable("dynamic_shared", AddressSpace.Shared, 0, 16);
            var bytes = translator.Builder.Convert(Op.ZeroExtend, IrType.I64, ThreadIntrinsics.Read(translator.Builder, SpecialRegister.DynamicSharedBytes));
            var count = translator.Builder.Binary(Op.DivU, bytes, translator.Builder.Const(IrType.I64, element.Size));
            return new StackItem(TypeLayout.Of(call.Result), [Address(translator, dynamic), count]);
        }

        var length = arguments.Length == 0 ? 1 : Length(translator, arguments[0], "SharedMemory");
        var site = translator.CallSite();
        if (!translator.SharedSites.TryGetValue(site, out var memory))
        {
            var name = $"shared{translator.SharedSites.Count.ToString(CultureInfo.InvariantCulture)}";
            memory = new MemoryVariable(name, AddressSpace.Shared, element.Size * length, Math.Max(16, element.ElementAlignment));
            translator.SharedSites[site] = memory;
            translator.Function.Memory.Add(memory);
        }

        var address = Address(translator, memory);
        return arguments.Length == 0
            ? address
            : new StackItem(TypeLayout.Of(call.Result), [address, translator.Builder.Const(IrType.I64, length)]);
    }

    public static StackItem? EmitLocal(Translator translator, CallTarget call, StackItem[] arguments)
    {
        var length = Length(translator, arguments[0], "LocalMemory");
        var pointer = translator.NewArray(TypeLayout.Of(call.GenericArguments[0]), length);
        return new StackItem(TypeLayout.Of(call.Result), [pointer, translator.Builder.Const(IrType.I64, length)]);
    }

    public static StackItem? EmitAtomic(Translator translator, CallTarget call, StackItem[] arguments)
    {
        var type = call.Parameters[1];
        if (type == typeof(BFloat16x2))
            return EmitPackedAdd(translator, arguments);
        if (TypeLayout.Of(type) is not { IsScalar: true, Leaves: [{ Kind: var kind }] } || (call.Name is "Min" or "Max" && type == typeof(float)))
            return StackItem.NotMine;
        var isSigned = kind is ScalarKind.I32 or ScalarKind.I64;
        var bits = kind.Size() * 8;
        var (name, ptxType) = call.Name switch
        {
            "Add" => ("add", kind switch { ScalarKind.F32 => "f32", ScalarKind.F64 => "f64", ScalarKind.I32 => "s32", ScalarKind.U32 => "u32", _ => "u64" }),
            "Min" or "Max" => (call.Name == "Min" ? "min" : "max", $"{(isSigned ? 's' : 'u')}{bits}"),
            "And" => ("and", $"b{bits}"),
            "Or" => ("or", $"b{bits}"),
            "Xor" => ("xor", $"b{bits}"),
            "Exchange" => ("exch", $"b{bits}"),
            "CompareExchange" => ("cas", $"b{bits}"),
            _ => ("", ""),
        };
        if (name.Length == 0)
            return StackItem.NotMine;
        var args = Array.ConvertAll(arguments, static argument => argument.Scalar);
        translator.RequireMemory(args[0], "An atomic operation");
        return translator.Builder.Append(Op.Atomic, kind.Register(), args, data: new AtomicOperation(name, ptxType, kind));
    }

    public static StackItem? EmitVolatile(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Parameters is not [{ IsByRef: true } reference, ..])
            return StackItem.NotMine;
        var layout = TypeLayout.Of(reference.GetElementType()!);
        if (call.Name == "Read")
            return translator.Load(arguments[0].Scalar, layout, isVolatile: true);
        translator.Store(arguments[0].Scalar, layout, arguments[1], isVolatile: true);
        return StackItem.Nothing;
    }

    public static StackItem? EmitUnsafe(Translator translator, CallTarget call, StackItem[] arguments)
    {
        switch (call.Name)
        {
            case "As" when call.GenericArguments.Length == 2:
            case "AsRef" when call.Parameters[0].IsByRef:
                return arguments[0];
            case "BitCast":
                var from = TypeLayout.Of(call.GenericArguments[0]);
                return translator.Load(translator.Spill(arguments[0], from), TypeLayout.Of(call.GenericArguments[1]));
            case "Add" when call.Parameters[0].IsByRef:
                return translator.ElementAddress(arguments[0].Scalar, arguments[1].Scalar, TypeLayout.Of(call.GenericArguments[0]).Size);
            case "SizeOf": return translator.Builder.Int(TypeLayout.Of(call.GenericArguments[0]).Size);
            case "SkipInit": return StackItem.Nothing;
            default: return StackItem.NotMine;
        }
    }

    private static StackItem EmitPackedAdd(Translator translator, StackItem[] arguments)
    {
        var builder = translator.Builder;
        if (!PtxTarget.IsAtLeast(translator.Options.Target, 90))
            return translator.CallLibrary(AtomicLibrary.AddPacked, arguments);
        Value[] args = [arguments[0].Scalar, arguments[1].Leaves()[0]];
        translator.RequireMemory(args[0], "An atomic operation");
        var old = builder.Append(Op.Atomic, IrType.I32, args, data: new AtomicOperation("add.noftz", "bf16x2", ScalarKind.U32));
        return new StackItem(TypeLayout.Of(typeof(BFloat16x2)), [old]);
    }

    private static Value Address(Translator translator, MemoryVariable memory) =>
        translator.Builder.Create(Op.SharedAddress, IrType.Ptr, [], data: memory);

    private static int Length(Translator translator, StackItem argument, string what)
    {
        var length = argument.Scalar;
        if (!length.IsConst || length.Imm is < 1 or > int.MaxValue)
            throw translator.Refuse($"{what}.Allocate needs a length that is a positive compile-time constant.");
        return (int)length.Imm;
    }
}
