using System.Numerics;
using DeltaKV.Gpu.Compiler.Frontend;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>
/// Turns element addresses into arithmetic of the width their space needs: 64 bits for global and local memory, 32 for shared.
/// Constant parts of an index become the offset that a memory instruction adds for free.
/// </summary>
/// <remarks>
/// Splitting <c>view[i + 4]</c> into <c>view[i]</c> and 4 elements assumes that the 32-bit sum does not wrap, and <c>view[i * 4]</c> as
/// elements four times as large that the product does not; where they would, the index is outside any view.
/// </remarks>
internal sealed class AddressLowering
{
    private readonly IrBuilder builder;
    private readonly Dictionary<Value, (Value Base, long Offset)> lowered = [];
    private readonly Dictionary<Value, Shape> shapes = [];
    private readonly Dictionary<Value, HashSet<Value?>> branches;
    private readonly LoopDepths depths;

    private AddressLowering(Function function)
    {
        builder = new IrBuilder(function);
        branches = FindBranches(function);
        depths = new LoopDepths(function);
    }

    public static void Run(Function function)
    {
        var pass = new AddressLowering(function);
        foreach (var block in function.Blocks)
        {
            foreach (var phi in block.Phis)
                SetType(phi);
        }

        foreach (var block in function.Blocks)
            pass.Lower(block);
        foreach (var block in function.Blocks)
            pass.ReplaceNull(block);
        ControlFlowGraph.ResolveAll(function);
    }

    private static void SetType(Value value)
    {
        if (value.Type == IrType.Ptr)
            value.Type = value.Space == AddressSpace.Shared ? IrType.I32 : IrType.I64;
    }

    private void Lower(Block block)
    {
        var rebuilt = new List<Value>(block.Values.Count);
        builder.Block = block;
        builder.Target = rebuilt;
        foreach (var value in block.Values)
        {
            builder.Location = value.Location;
            if (value.Op == Op.ElementAddress)
            {
                var (start, offset) = lowered[value] = Split(value);
                value.Replacement = offset == 0 ? start : builder.Binary(Op.Add, start, builder.Const(start.Type, offset));
                value.Replacement.Space = value.Space;
                continue;
            }

            SetType(value);
            LowerOperands(value);
            rebuilt.Add(value);
        }

        block.Values = rebuilt;
    }

    private void LowerOperands(Value value)
    {
        switch (value.Op)
        {
            case Op.Load or Op.Store or Op.Atomic:
                var (address, offset) = Find(value.Args[0]);
                value.Space = value.Args[0].Space == AddressSpace.Unknown ? AddressSpace.Global : value.Args[0].Space;
                SetAlignment(value);
                value.Args[0] = address;
                value.Imm += offset;
                for (var i = 1; i < value.Args.Length; i++)
                    RequireGlobal(value, value.Args[i]);
                break;
            case Op.Template:
                var template = (PtxTemplate)value.Data!;
                for (var i = 0; i < template.Arguments.Length; i++)
                {
                    if (template.Arguments[i] != ScalarKind.Pointer)
                        continue;
                    template.Spaces[i] = value.Args[i].Space;
                    if (template.TakesOffset(i))
                        (value.Args[i], template.Offsets[i]) = Find(value.Args[i]);
                }

                break;
        }
    }

    /// <summary>Notes in <see cref="Value.Scale"/> to how many bytes the base of the access is known to be aligned.</summary>
    private void SetAlignment(Value access)
    {
        if (access.Data is not MemoryAccess { Alignment: var alignment })
            return;
        var element = access.Args[0];
        for (; element is { Op: Op.ElementAddress, Data: TypeLayout container }; element = element.Args[0])
            alignment = container.ElementAlignment;
        var skew = Find(element).Offset;
        access.Scale = skew == 0 ? alignment : (int)Math.Min(alignment, 1L << BitOperations.TrailingZeroCount(skew));
    }

    private static void RequireGlobal(Value store, Value stored)
    {
        if (stored.Space is AddressSpace.Shared or AddressSpace.Local && stored.Op is Op.SharedAddress or Op.LocalAddress or Op.ElementAddress or Op.Phi)
            throw SourceOf.Failure($"A view of {stored.Space} memory is stored in memory; kernels keep such views in local variables.", store.Location);
    }

    private (Value Base, long Offset) Find(Value address) => lowered.TryGetValue(address, out var found) ? found : (address, 0);

    private (Value Base, long Offset) Split(Value address)
    {
        var shape = ShapeOf(address);
        shapes[address] = shape;
        var sum = shape.Root;

        // What changes least comes first, so that it can be added up in front of the loop.
        foreach (var (index, scale) in shape.Terms.OrderBy(term => depths.Of(term.Index)))
            sum = builder.Binary(Op.Add, sum, sum.Type == IrType.I64 ? ScaleWide(index, scale) : ScaleNarrow(index, scale));
        return (sum, shape.Offset);
    }

    /// <summary>The address as a root, scaled indices and a constant. Addresses that only this one continues are taken apart as well.</summary>
    private Shape ShapeOf(Value address)
    {
        var parent = address.Args[0];
        var shape = parent.Op == Op.ElementAddress && branches[parent].Count == 1 ? shapes[parent] : Opaque(parent, address.Space);
        var offset = shape.Offset + address.Imm;
        if (address.Args.Length == 1)
            return shape with { Offset = offset };
        var (index, constant) = SplitIndex(address.Args[1].Resolve(), 0);
        if (FitsImmediate(offset + (constant * address.Scale)))
            offset += constant * address.Scale;
        else
            index = address.Args[1].Resolve();
        if (index is null)
            return shape with { Offset = offset };
        var terms = new List<(Value, int)>(shape.Terms);
        foreach (var part in SplitByDepth(index, isNarrow: address.Space == AddressSpace.Shared))
            terms.Add(Rescale(part, address.Scale));
        return new Shape(shape.Root, terms, offset);
    }

    /// <summary>An index that is a multiple of something has that in its scale instead.</summary>
    private (Value Index, int Scale) Rescale(Value index, int scale)
    {
        var isExtended = index.Op == Op.SignExtend;
        var inner = isExtended ? index.Args[0] : index;
        while (inner.Op is Op.Shl or Op.Mul && inner.Args[1].IsConst)
        {
            var larger = inner.Op == Op.Mul ? scale * inner.Args[1].Imm : (long)scale << (int)Math.Min(inner.Args[1].Imm, 40);
            if (larger is <= 0 or > 1 << 24)
                break;
            scale = (int)larger;
            inner = inner.Args[0];
        }

        return (isExtended ? builder.Convert(Op.SignExtend, IrType.I64, inner) : inner, scale);
    }

    private Shape Opaque(Value address, AddressSpace space)
    {
        var (start, offset) = Find(address);
        start = start.Resolve();
        return new Shape(start.Op == Op.Const ? builder.Const(space == AddressSpace.Shared ? IrType.I32 : IrType.I64, 0) : start, [], offset);
    }

    /// <summary>A sum as one part for each depth of loops it changes in. Sums of the address's own width only, where this is exact.</summary>
    private List<Value> SplitByDepth(Value index, bool isNarrow)
    {
        var parts = new SortedDictionary<int, Value>();
        Collect(index);
        return parts.Count == 1 ? [index] : [.. parts.Values];

        void Collect(Value value)
        {
            if (isNarrow && value.Op == Op.SignExtend)
                value = value.Args[0];
            if (value.Op == Op.Add && !value.Args[1].IsConst && (isNarrow || value.Type == IrType.I64))
            {
                Collect(value.Args[0]);
                Collect(value.Args[1]);
                return;
            }

            var depth = depths.Of(value);
            if (!parts.TryGetValue(depth, out var sum))
                parts[depth] = value;
            else if (sum.Type == value.Type)
                parts[depth] = builder.Binary(Op.Add, sum, value);
            else
                parts[depth] = builder.Binary(Op.Add, Narrow(sum), Narrow(value));
        }
    }

    private Value Narrow(Value value) => value.Type == IrType.I64 ? builder.Convert(Op.Narrow, IrType.I32, value) : value;

    /// <summary>By what variable indices each element address is continued; null stands for any other use.</summary>
    private static Dictionary<Value, HashSet<Value?>> FindBranches(Function function)
    {
        var branches = new Dictionary<Value, HashSet<Value?>>();
        foreach (var block in function.Blocks)
        {
            foreach (var value in block.Phis.Concat(block.Values))
            {
                if (value.Op == Op.ElementAddress)
                    branches.TryAdd(value, []);
                for (var i = 0; i < value.Args.Length; i++)
                {
                    if (value.Args[i].Op != Op.ElementAddress)
                        continue;
                    branches.TryAdd(value.Args[i], []);
                    branches[value.Args[i]].Add(value.Op == Op.ElementAddress && value.Args.Length == 2 ? VariablePart(value.Args[1]) : null);
                }
            }
        }

        return branches;
    }

    private static Value VariablePart(Value index) => index.Op switch
    {
        Op.SignExtend => VariablePart(index.Args[0]),
        Op.Add when index.Args[1].IsConst => VariablePart(index.Args[0]),
        _ => index,
    };

    private static bool FitsImmediate(long offset) => offset is > int.MinValue / 2 and < int.MaxValue / 2;

    private Value ScaleWide(Value index, int scale)
    {
        if (index.Type == IrType.I32)
            return scale == 1 ? builder.Convert(Op.SignExtend, IrType.I64, index) : builder.Create(Op.MulWideS, IrType.I64, [index, builder.Int(scale)]);
        if (scale > 1 && index.Op is Op.SignExtend or Op.ZeroExtend)
            return builder.Create(index.Op == Op.SignExtend ? Op.MulWideS : Op.MulWideU, IrType.I64, [index.Args[0], builder.Int(scale)]);
        return builder.Binary(Op.Mul, index, builder.Const(IrType.I64, scale));
    }

    private Value ScaleNarrow(Value index, int scale) => builder.Binary(Op.Mul, Narrow(index), builder.Int(scale));

    /// <summary>An index as a variable part (null when there is none) and a constant.</summary>
    private (Value? Index, long Constant) SplitIndex(Value index, int depth)
    {
        if (index.IsConst)
            return (null, index.Imm);
        if (depth == 8)
            return (index, 0);
        switch (index.Op)
        {
            case Op.SignExtend:
                var (inner, constant) = SplitIndex(index.Args[0], depth + 1);
                return constant == 0 ? (index, 0) : (inner is null ? null : builder.Convert(Op.SignExtend, IrType.I64, inner), constant);
            case Op.Add or Op.Sub:
                var (left, leftConstant) = SplitIndex(index.Args[0], depth + 1);
                var (right, rightConstant) = SplitIndex(index.Args[1], depth + 1);
                if (leftConstant == 0 && rightConstant == 0)
                    return (index, 0);
                var sum = index.Op == Op.Add ? leftConstant + rightConstant : leftConstant - rightConstant;
                if (left is null && index.Op == Op.Sub)
                    return (index, 0);
                return (left is null ? right : right is null ? left : builder.Binary(index.Op, left, right), sum);
            case Op.Mul or Op.Shl when index.Args[1].IsConst:
                var (factor, added) = SplitIndex(index.Args[0], depth + 1);
                var multiplier = index.Op == Op.Mul ? index.Args[1].Imm : 1L << (int)index.Args[1].Imm;
                return added == 0 || factor is null ? (index, 0) : (builder.Binary(index.Op, factor, index.Args[1]), added * multiplier);
            case Op.Or when index.Args[1] is { IsConst: true, Imm: > 0 } low && IsDisjoint(index.Args[0], low.Imm):
                var (high, more) = SplitIndex(index.Args[0], depth + 1);
                return (high, more + low.Imm);
            default:
                return (index, 0);
        }
    }

    private static bool IsDisjoint(Value value, long bits) => value.Op switch
    {
        Op.Shl when value.Args[1].IsConst => bits < 1L << (int)Math.Min(value.Args[1].Imm, 62),
        Op.And when value.Args[1].IsConst => (value.Args[1].Imm & bits) == 0,
        _ => false,
    };

    /// <summary>Null addresses take the width of what they meet.</summary>
    private void ReplaceNull(Block block)
    {
        foreach (var value in block.Phis.Concat(block.Values))
        {
            for (var i = 0; i < value.Args.Length; i++)
            {
                if (value.Args[i] is { Op: Op.Const, Type: IrType.Ptr })
                    value.Args[i] = builder.Const(value.Op is Op.Phi or Op.Select && value.Type == IrType.I32 ? IrType.I32 : IrType.I64, 0);
            }
        }
    }

    private sealed record Shape(Value Root, List<(Value Index, int Scale)> Terms, long Offset);
}
