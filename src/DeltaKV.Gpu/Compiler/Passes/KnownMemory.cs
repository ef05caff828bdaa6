using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>What memory is known to hold at a point of a block: what was loaded or stored there and not overwritten since.</summary>
internal sealed class KnownMemory
{
    private readonly Dictionary<Slot, Value> contents;

    public KnownMemory() => contents = [];

    private KnownMemory(KnownMemory other) => contents = new Dictionary<Slot, Value>(other.contents);

    public KnownMemory Copy() => new(this);

    public void Clear() => contents.Clear();

    /// <summary>The values a load would give, when all are known.</summary>
    public Value[]? Find(Value load, MemoryAccess access)
    {
        var found = new Value[access.Kinds.Length];
        for (var i = 0; i < found.Length; i++)
        {
            if (!contents.TryGetValue(SlotOf(load, access, i), out var value))
                return null;
            found[i] = value;
        }

        return found;
    }

    public void Set(Value at, MemoryAccess access, int index, Value value) => contents[SlotOf(at, access, index)] = value;

    /// <summary>Forgets what a store changes, or may change because its base is another; then remembers what it wrote.</summary>
    public void Store(Value store, MemoryAccess access)
    {
        foreach (var slot in contents.Keys)
        {
            if (slot.Space != store.Space)
                continue;
            if (slot.Base != store.Args[0] || (slot.Offset < store.Imm + access.Bytes && store.Imm < slot.Offset + slot.Kind.Size()))
                contents.Remove(slot);
        }

        // A narrow store cuts the value off; the register does not hold what a load would give.
        for (var i = 0; i < access.Kinds.Length && access.Kinds[0].Size() >= 4; i++)
            Set(store, access, i, store.Args[i + 1]);
    }

    private static Slot SlotOf(Value at, MemoryAccess access, int index)
    {
        var kind = access.Kinds[index] switch
        {
            ScalarKind.U32 => ScalarKind.I32,
            ScalarKind.U64 or ScalarKind.Pointer => ScalarKind.I64,
            var other => other,
        };
        return new Slot(at.Args[0], at.Space, at.Imm + (index * access.Kinds[0].Size()), kind);
    }

    private readonly record struct Slot(Value Base, AddressSpace Space, long Offset, ScalarKind Kind);
}
