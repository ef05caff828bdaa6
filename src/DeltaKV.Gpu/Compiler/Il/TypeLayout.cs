using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>How an unmanaged type lies in memory: its scalars in order, with their byte offsets, as the CLR lays them out.</summary>
internal sealed class TypeLayout
{
    private static readonly ConcurrentDictionary<Type, TypeLayout> Cache = new();
    private readonly Field[] fields;
    private readonly ConcurrentDictionary<int, AccessGroup[]> groups = new();

    private TypeLayout(Type type, Leaf[] leaves, int size, int alignment, Field[] fields)
    {
        Type = type;
        Leaves = leaves;
        Size = size;
        Alignment = alignment;
        this.fields = fields;
        ElementAlignment = size <= 16 && int.IsPow2(size) ? Math.Max(size, alignment) : alignment;
    }

    public Type Type { get; }

    public Leaf[] Leaves { get; }

    public int Size { get; }

    /// <summary>The alignment the CLR guarantees.</summary>
    public int Alignment { get; }

    /// <summary>The alignment kernels assume of an element of a view: its size, if that is a power of two up to 16.</summary>
    public int ElementAlignment { get; }

    /// <summary>Whether only the CLR knows the order in memory, as of tuples: such a struct lives in registers only.</summary>
    public bool IsAuto { get; private init; }

    /// <summary>Says why a struct cannot be in memory, if it cannot.</summary>
    public void RequireMemory()
    {
        if (IsAuto)
            throw new NotSupportedException($"{Type.Name} has automatic layout, so it cannot be in memory that others see; mark it [StructLayout(LayoutKind.Sequential)], or use a struct instead of a tuple.");
    }

    /// <summary>A primitive (or reference), one value on the IL stack; a struct with one field is not.</summary>
    public bool IsScalar => fields.Length == 0 && Leaves.Length == 1;

    public static TypeLayout Of(Type type) => Cache.TryGetValue(type, out var layout) ? layout : Cache.GetOrAdd(type, Create);

    /// <summary>The layout of <paramref name="count"/> elements in a row.</summary>
    public static TypeLayout ArrayOf(TypeLayout element, int count)
    {
        var leaves = new Leaf[element.Leaves.Length * count];
        for (var i = 0; i < leaves.Length; i++)
        {
            var leaf = element.Leaves[i % element.Leaves.Length];
            leaves[i] = leaf with { Offset = leaf.Offset + (i / element.Leaves.Length * element.Size) };
        }

        return new TypeLayout(element.Type, leaves, element.Size * count, element.ElementAlignment, [new Field(0, 0, element.Type)]);
    }

    public int OffsetOf(FieldInfo field)
    {
        foreach (var candidate in fields)
        {
            if (candidate.Token == field.MetadataToken)
                return candidate.Offset;
        }

        throw new NotSupportedException($"{Type.Name} has no instance field {field.Name}.");
    }

    /// <summary>The leaf at a byte offset, or -1.</summary>
    public int LeafAt(int offset)
    {
        int low = 0, high = Leaves.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Leaves[middle].Offset == offset)
                return middle;
            if (Leaves[middle].Offset < offset)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return -1;
    }

    /// <summary>The memory accesses that move the whole type when its address is so aligned: the widest vectors PTX has.</summary>
    public AccessGroup[] GroupsFor(int alignment) => groups.GetOrAdd(alignment, Group);

    private AccessGroup[] Group(int alignment)
    {
        var result = new List<AccessGroup>();
        for (var i = 0; i < Leaves.Length;)
        {
            var count = 4;
            while (count > 1 && !CanJoin(i, count, alignment))
                count /= 2;
            result.Add(new AccessGroup(Leaves[i].Offset, i, Leaves.AsSpan(i, count).ToArray().Select(leaf => leaf.Kind).ToArray()));
            i += count;
        }

        return [.. result];
    }

    private bool CanJoin(int first, int count, int alignment)
    {
        var size = Leaves[first].Kind.Size();
        var bytes = size * count;
        if (first + count > Leaves.Length || bytes > Math.Min(alignment, 16) || Leaves[first].Offset % bytes != 0)
            return false;
        for (var i = 1; i < count; i++)
        {
            var leaf = Leaves[first + i];
            if (leaf.Kind.Size() != size || leaf.Offset != Leaves[first].Offset + (i * size) || leaf.Kind == ScalarKind.Pointer)
                return false;
        }

        return Leaves[first].Kind != ScalarKind.Pointer;
    }

    private static TypeLayout Create(Type type)
    {
        if (type.IsEnum)
            type = Enum.GetUnderlyingType(type);
        if (ScalarKinds.Of(type) is { } kind)
            return new TypeLayout(type, [new Leaf(kind, 0)], kind.Size(), kind.Size(), []);
        if (type.IsPointer)
            throw new NotSupportedException($"The pointer type {type.Name} does not exist in kernels; pass an ArrayView or a ref.");
        if (!type.IsValueType || type.IsByRefLike)
        {
            var what = type.IsArray ? "The array type" : type == typeof(string) ? "The type" : type.IsByRefLike ? "The ref struct" : "The class";
            throw new NotSupportedException($"{what} {type.Name} does not exist in kernels; use primitives, structs of them and ArrayView.");
        }

        return CreateStruct(type);
    }

    private static TypeLayout CreateStruct(Type type)
    {
        var attribute = type.StructLayoutAttribute;
        var infos = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        Array.Sort(infos, static (a, b) => a.MetadataToken.CompareTo(b.MetadataToken));
        var pack = attribute is { Pack: > 0 } ? attribute.Pack : 8;
        var isExplicit = attribute is { Value: LayoutKind.Explicit };
        var isView = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>);
        var fields = new Field[infos.Length];
        var leaves = new List<Leaf>();
        var isAuto = attribute is { Value: LayoutKind.Auto };
        int size = 0, alignment = 1;
        for (var i = 0; i < infos.Length; i++)
        {
            var isPointer = isView && infos[i].FieldType == typeof(nint);
            var layout = isPointer ? Of(typeof(int).MakeByRefType()) : Of(infos[i].FieldType);
            var fieldAlignment = Math.Min(layout.Alignment, pack);
            var offset = isExplicit ? infos[i].GetCustomAttribute<FieldOffsetAttribute>()!.Value : Round(size, fieldAlignment);
            isAuto |= layout.IsAuto;
            fields[i] = new Field(infos[i].MetadataToken, offset, infos[i].FieldType);
            alignment = Math.Max(alignment, fieldAlignment);
            size = Math.Max(size, offset + layout.Size);
            foreach (var leaf in layout.Leaves)
                AddLeaf(type, leaves, leaf with { Offset = leaf.Offset + offset });
        }

        leaves.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        size = Math.Max(Math.Max(Round(size, alignment), attribute?.Size ?? 0), 1);
        if (type.GetCustomAttribute<InlineArrayAttribute>() is { } inline)
        {
            var element = new TypeLayout(type, [.. leaves], size, alignment, fields);
            return new TypeLayout(type, ArrayOf(element, inline.Length).Leaves, size * inline.Length, alignment, fields);
        }

        return new TypeLayout(type, [.. leaves], size, alignment, fields.Length == 0 ? [new Field(0, 0, type)] : fields) { IsAuto = isAuto };
    }

    private static void AddLeaf(Type type, List<Leaf> leaves, Leaf added)
    {
        foreach (var leaf in leaves)
        {
            if (leaf.Offset == added.Offset && leaf.Kind.Size() == added.Kind.Size())
                return;
            if (leaf.Offset < added.Offset + added.Kind.Size() && added.Offset < leaf.Offset + leaf.Kind.Size())
                throw new NotSupportedException($"Fields of {type.Name} overlap partly; in kernels fields overlap wholly or not at all.");
        }

        leaves.Add(added);
    }

    private static int Round(int value, int alignment) => (value + alignment - 1) / alignment * alignment;

    private readonly record struct Field(int Token, int Offset, Type Type);
}
