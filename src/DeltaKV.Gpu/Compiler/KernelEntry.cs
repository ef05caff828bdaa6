using System.Collections.Immutable;
using System.Reflection;
using DeltaKV.Gpu.Compiler.Frontend;
using DeltaKV.Gpu.Compiler.Frontend.Intrinsics;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler;

/// <summary>Reads a kernel's parameters and, for implicitly grouped kernels, computes the thread's own index.</summary>
internal static class KernelEntry
{
    /// <summary>The arguments as values in the entry block; null for the unused object of a lambda.</summary>
    public static (StackItem?[] Arguments, Block Start) Arguments(
        Function function,
        MethodInfo kernel,
        IlMethod il,
        CompileOptions options,
        ImmutableArray<KernelParameter>.Builder parameters)
    {
        var builder = new IrBuilder(function);
        var infos = kernel.GetParameters();
        var shift = kernel.IsStatic ? 0 : 1;
        var arguments = new StackItem?[il.Arguments.Length];
        for (var i = 0; i < infos.Length; i++)
        {
            var layout = LayoutOf(kernel, infos[i]);
            parameters.Add(new KernelParameter(infos[i].Name ?? $"p{i}", infos[i].ParameterType, layout.Size, layout.Alignment));
            var leaves = new Value[layout.Leaves.Length];
            for (var j = 0; j < leaves.Length; j++)
            {
                var leaf = layout.Leaves[j];
                leaves[j] = builder.Append(Op.Param, leaf.Kind.Register(), [], leaf.Offset, (int)leaf.Kind, $"p{i}");
            }

            arguments[i + shift] = new StackItem(layout, leaves);
        }

        if (options.ImplicitlyGrouped)
            arguments[shift] = OwnIndex(function, builder, kernel, arguments.Length > shift ? arguments[shift] : null);
        return (arguments, builder.Block);
    }

    private static TypeLayout LayoutOf(MethodInfo kernel, ParameterInfo parameter)
    {
        if (parameter.ParameterType.IsByRef)
            throw new KernelCompileException($"{KernelCompileException.Describe(kernel)}: parameter {parameter.Name} is a reference; kernels take values and views.");
        try
        {
            var layout = TypeLayout.Of(parameter.ParameterType);
            layout.RequireMemory();
            return layout;
        }
        catch (NotSupportedException exception)
        {
            throw new KernelCompileException($"{KernelCompileException.Describe(kernel)}: parameter {parameter.Name}: {exception.Message}", exception);
        }
    }

    private static StackItem OwnIndex(Function function, IrBuilder builder, MethodInfo kernel, StackItem? extent)
    {
        var dimensions = extent?.Layout?.Type is not { } type ? 0
            : type == typeof(Index1D) || type == typeof(LongIndex1D) ? 1
            : type == typeof(Index2D) || type == typeof(LongIndex2D) ? 2
            : type == typeof(Index3D) || type == typeof(LongIndex3D) ? 3 : 0;
        if (dimensions == 0)
            throw new KernelCompileException($"{KernelCompileException.Describe(kernel)}: the first parameter of an implicitly grouped kernel is its index (Index1D, Index2D, Index3D).");
        var limits = extent!.Value.Leaves();
        var index = new Value[dimensions];
        var outside = function.Bool(false);
        for (var i = 0; i < dimensions; i++)
        {
            var group = ThreadIntrinsics.Read(builder, SpecialRegister.GridIndexX + (byte)i);
            var size = ThreadIntrinsics.Read(builder, SpecialRegister.GroupDimX + (byte)i);
            var thread = ThreadIntrinsics.Read(builder, SpecialRegister.ThreadX + (byte)i);
            index[i] = limits[i].Type == IrType.I64
                ? builder.Binary(Op.Add, builder.Create(Op.MulWideS, IrType.I64, [group, size]), builder.Convert(Op.SignExtend, IrType.I64, thread))
                : builder.Binary(Op.Add, builder.Binary(Op.Mul, group, size), thread);
            outside = builder.Binary(Op.Or, builder.Compare(Condition.GreaterEqual, index[i], limits[i]), outside);
        }

        var (leave, inside) = (function.NewBlock(), function.NewBlock());
        leave.IsSealed = inside.IsSealed = true;
        function.Entry.Test = outside;
        function.Entry.JumpTo(leave);
        function.Entry.JumpTo(inside);
        builder.Block = inside;
        return new StackItem(extent.Value.Layout!, index);
    }
}
