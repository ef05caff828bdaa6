using System.Numerics;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <content>Variables, references to them, and memory.</content>
internal sealed partial class Translator
{
    public StackItem Pop()
    {
        var item = stack[^1];
        stack.RemoveAt(stack.Count - 1);
        return item;
    }

    public void Push(StackItem item) => stack.Add(item);

    /// <summary>Reads what an address refers to.</summary>
    public StackItem Load(Value address, TypeLayout layout, bool isVolatile = false)
    {
        var leaves = new Value[layout.Leaves.Length];
        if (address is { Op: Op.Place, Data: Place place })
        {
            for (var i = 0; i < leaves.Length; i++)
                leaves[i] = ReadLeaf(place, layout.Leaves[i]);
            return new StackItem(layout, leaves);
        }

        layout.RequireMemory();
        var alignment = AlignmentOf(address, layout);
        foreach (var group in layout.GroupsFor(alignment))
        {
            if (group.Kinds.Length == 1)
            {
                var kind = group.Kinds[0];
                leaves[group.FirstLeaf] = builder.Append(Op.Load, kind.Register(), [address], group.Offset, data: new MemoryAccess(group.Kinds, isVolatile, alignment));
                continue;
            }

            var kinds = Uniform(group.Kinds);
            var several = builder.Append(Op.Load, IrType.None, [address], group.Offset, data: new MemoryAccess(kinds, isVolatile, alignment));
            var parts = builder.Extract(several, Array.ConvertAll(kinds, static kind => kind.Register()));
            for (var i = 0; i < parts.Length; i++)
                leaves[group.FirstLeaf + i] = builder.BitCast(parts[i], group.Kinds[i].Register());
        }

        return new StackItem(layout, leaves);
    }

    /// <summary>Writes what an address refers to.</summary>
    public void Store(Value address, TypeLayout layout, StackItem item, bool isVolatile = false)
    {
        var leaves = LeavesOf(item, layout);
        if (address is { Op: Op.Place, Data: Place place })
        {
            for (var i = 0; i < leaves.Length; i++)
                WriteLeaf(place, layout.Leaves[i], leaves[i]);
            return;
        }

        layout.RequireMemory();
        var alignment = AlignmentOf(address, layout);
        foreach (var group in layout.GroupsFor(alignment))
        {
            var kinds = Uniform(group.Kinds);
            var args = new Value[kinds.Length + 1];
            args[0] = address;
            for (var i = 0; i < kinds.Length; i++)
                args[i + 1] = builder.BitCast(leaves[group.FirstLeaf + i], kinds[i].Register());
            builder.Append(Op.Store, IrType.None, args, group.Offset, data: new MemoryAccess(kinds, isVolatile, alignment));
        }
    }

    /// <summary>The address of a byte offset inside a struct at an address.</summary>
    public Value FieldAddress(Value address, TypeLayout container, int offset, TypeLayout field)
    {
        if (address is { Op: Op.Place, Data: Place place })
            return PlaceOf(place.Variable, place.Offset + offset);
        if (offset == 0 && AlignmentOf(address, container) >= field.ElementAlignment)
            return address;
        return builder.Create(Op.ElementAddress, IrType.Ptr, [address], offset, data: container);
    }

    /// <summary>The address of an element: <paramref name="address"/> + <paramref name="index"/> * <paramref name="size"/>.</summary>
    public Value ElementAddress(Value address, Value index, int size)
    {
        if (index.IsConstant(0))
            return address;
        if (address is { Op: Op.Place, Data: Place place })
        {
            if (index.IsConst)
                return PlaceOf(place.Variable, checked((int)(place.Offset + (index.Imm * size))));
            throw NotConstant(place.Variable.Array);
        }

        return index.IsConst
            ? builder.Create(Op.ElementAddress, IrType.Ptr, [address], index.Imm * size)
            : builder.Create(Op.ElementAddress, IrType.Ptr, [address, index], scale: size);
    }

    public Value PlaceOf(Variable variable, int offset)
    {
        if (!places.TryGetValue((variable.FirstId, offset), out var value))
        {
            places[(variable.FirstId, offset)] = value = Function.NewValue(Op.Place, IrType.Ptr);
            value.Data = new Place(variable, offset);
        }

        return value;
    }

    /// <summary>A new variable in registers, all zero.</summary>
    public Variable NewVariable(TypeLayout layout, ArraySite? array = null) => NewVariable(layout, builder.Block, array);

    private Variable NewVariable(TypeLayout layout, Block block, ArraySite? array = null)
    {
        var variable = ssa.Create(layout, array);
        for (var i = 0; i < layout.Leaves.Length; i++)
            SsaVariables.Write(block, variable.FirstId + i, Zero(layout.Leaves[i].Kind));
        return variable;
    }

    /// <summary>A new array in registers, or in local memory when a first attempt found that it cannot be in registers.</summary>
    public Value NewArray(TypeLayout element, int length)
    {
        var path = $"{frame.Path}/{builder.Location.Offset}.{frame.CountCall(builder.Location.Offset)}";
        if (memoryArrays.Contains(path))
        {
            var memory = new MemoryVariable($"local{Function.Memory.Count}", AddressSpace.Local, length * element.Size, Math.Max(16, element.ElementAlignment));
            Function.Memory.Add(memory);
            return builder.Append(Op.LocalAddress, IrType.Ptr, [], data: memory);
        }

        var mayBeMemory = false;
        for (var around = frame; around is not null; around = around.Caller)
            mayBeMemory |= around.Il.Method.IsDefined(typeof(AllowLocalMemoryAttribute), false);
        var site = new ArraySite(path, length, mayBeMemory);
        return PlaceOf(NewVariable(TypeLayout.ArrayOf(element, length), site), 0);
    }

    public static Value Zero(Function function, ScalarKind kind) => function.Const(kind.Register(), 0);

    public StackItem ZeroOf(TypeLayout layout) => new(layout, Array.ConvertAll(layout.Leaves, leaf => Zero(leaf.Kind)));

    /// <summary>The scalars of an item as a type's scalars: IL moves between types of the same stack kind without saying so.</summary>
    public Value[] LeavesOf(StackItem item, TypeLayout layout)
    {
        var leaves = item.Leaves();
        if (leaves.Length != layout.Leaves.Length)
            throw new NotSupportedException($"A {item.Layout?.Type.Name ?? "number"} is used as a {layout.Type.Name}.");
        if (!item.IsScalar)
            return leaves;
        return [Coerce(leaves[0], layout.Leaves[0].Kind)];
    }

    /// <summary>Refuses a reference to a variable in registers where an address is needed.</summary>
    public void RequireMemory(Value address, string what)
    {
        if (address is { Op: Op.Place, Data: Place { Variable.Array: var site } })
            throw site is { MayBeMemory: true } ? new RegisterArrayException(site) : Refuse($"{what} needs an address in memory, but the reference is to a local variable.");
    }

    private Exception NotConstant(ArraySite? site)
    {
        if (site is { MayBeMemory: true })
            return new RegisterArrayException(site);
        return Refuse(site is null
            ? "A reference to a local variable is indexed by something that is not a compile-time constant."
            : $"The register array ({site.Length} elements) is indexed by something that is not a compile-time constant. Unroll the loop with Unroll.Full, or say [AllowLocalMemory] if it may live in local memory.");
    }

    private Value Zero(ScalarKind kind) => Zero(Function, kind);

    private void WriteVariable(Variable variable, StackItem item)
    {
        var leaves = LeavesOf(item, variable.Layout);
        for (var i = 0; i < leaves.Length; i++)
            SsaVariables.Write(builder.Block, variable.FirstId + i, builder.Normalize(leaves[i], variable.Layout.Leaves[i].Kind));
    }

    private StackItem ReadVariable(Variable variable)
    {
        var leaves = new Value[variable.Layout.Leaves.Length];
        for (var i = 0; i < leaves.Length; i++)
            leaves[i] = ssa.Read(builder.Block, variable.FirstId + i);
        return new StackItem(variable.Layout, leaves);
    }

    private Value ReadLeaf(Place place, Leaf leaf)
    {
        var (index, kind) = FindLeaf(place, leaf);
        var value = ssa.Read(builder.Block, place.Variable.FirstId + index);
        return kind == leaf.Kind ? value : builder.Normalize(builder.BitCast(value, leaf.Kind.Register()), leaf.Kind);
    }

    private void WriteLeaf(Place place, Leaf leaf, Value value)
    {
        var (index, kind) = FindLeaf(place, leaf);
        SsaVariables.Write(builder.Block, place.Variable.FirstId + index, builder.Normalize(builder.BitCast(value, kind.Register()), kind));
    }

    private static (int Index, ScalarKind Kind) FindLeaf(Place place, Leaf leaf)
    {
        var layout = place.Variable.Layout;
        var index = layout.LeafAt(place.Offset + leaf.Offset);
        if (index < 0)
        {
            throw new NotSupportedException(place.Variable.Array is { } site
                ? $"The index is outside the register array ({site.Length} elements), or the access straddles its elements."
                : $"A local {layout.Type.Name} is read or written as something else than its fields.");
        }

        var kind = layout.Leaves[index].Kind;
        if (kind.Size() != leaf.Kind.Size() || (kind == ScalarKind.Pointer) != (leaf.Kind == ScalarKind.Pointer))
            throw new NotSupportedException($"A {kind} field of a local {layout.Type.Name} is read or written as {leaf.Kind}; kernels reinterpret equal sizes only.");
        return (index, kind);
    }

    private static int AlignmentOf(Value address, TypeLayout layout)
    {
        if (address is not { Op: Op.ElementAddress, Data: TypeLayout container })
            return layout.ElementAlignment;
        var around = AlignmentOf(address.Args[0], container);
        var here = address.Imm == 0 ? around : Math.Min(around, 1 << Math.Min(4, BitOperations.TrailingZeroCount(address.Imm)));
        return Math.Max(layout.Alignment, Math.Min(layout.ElementAlignment, here));
    }

    /// <summary>Vector accesses take registers of one kind: mixed floats and integers travel as integers.</summary>
    private static ScalarKind[] Uniform(ScalarKind[] kinds)
    {
        foreach (var kind in kinds)
        {
            if (kind.Register() != kinds[0].Register())
                return Array.ConvertAll(kinds, static each => each.Size() == 8 ? ScalarKind.U64 : ScalarKind.U32);
        }

        return kinds;
    }

    private Value Coerce(Value value, ScalarKind kind)
    {
        var type = kind.Register();
        return (value.Type, type) switch
        {
            _ when value.Type == type => value,
            (IrType.I32, IrType.I64) => builder.Convert(Op.SignExtend, IrType.I64, value),
            (IrType.I64, IrType.I32) => builder.Convert(Op.Narrow, IrType.I32, value),
            (IrType.F32, IrType.F64) or (IrType.F64, IrType.F32) => builder.Convert(Op.FloatToFloat, type, value),
            _ => throw new NotSupportedException($"A value of kind {value.Type} is used as {kind}."),
        };
    }

    private void SaveStack(IlBlock target)
    {
        if (stack.Count == 0)
            return;
        if (!frame.EntryStacks.TryGetValue(target.Order, out var slots))
        {
            slots = new Variable?[stack.Count];
            for (var i = 0; i < slots.Length; i++)
            {
                if (stack[i].Constant is null)
                    slots[i] = ssa.Create(stack[i].Layout ?? TypeLayout.Of(StackType(stack[i].Scalar.Type)));
            }

            frame.EntryStacks[target.Order] = slots;
        }

        for (var i = 0; i < slots.Length; i++)
        {
            if (slots[i] is { } slot)
                WriteVariable(slot, stack[i]);
            else if (frame.EntryConstants.TryAdd((target.Order, i), stack[i].Constant!) || Equals(frame.EntryConstants[(target.Order, i)], stack[i].Constant))
                continue;
            else
                throw Refuse("A lambda, type or string is not the same one on all paths; kernels know them at compile time only.");
        }
    }

    private void RestoreStack(IlBlock block)
    {
        stack.Clear();
        if (!frame.EntryStacks.TryGetValue(block.Order, out var slots))
            return;
        for (var i = 0; i < slots.Length; i++)
            stack.Add(slots[i] is { } slot ? ReadVariable(slot) : StackItem.Known(frame.EntryConstants[(block.Order, i)]));
    }

    private static Type StackType(IrType type) => type switch
    {
        IrType.I32 => typeof(int),
        IrType.I64 => typeof(long),
        IrType.F32 => typeof(float),
        IrType.F64 => typeof(double),
        _ => typeof(int).MakeByRefType(),
    };
}
