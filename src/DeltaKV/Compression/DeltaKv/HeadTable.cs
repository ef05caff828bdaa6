using System.Collections.Immutable;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv;

/// <summary>What every key/value head of every layer keeps of history: not all heads look back.</summary>
/// <remarks>
/// As text, a letter per head and a slash between layers, as <c>cccc/wwcw/rc84</c>: c as its layer is coded, w window only, r raw in 16 bits, a digit so many bits. The row of a layer
/// that is not coded is all c.
/// </remarks>
internal sealed class HeadTable
{
    private const char Separator = '/';

    private static readonly (char Letter, HeadTreatment Treatment)[] Letters =
        [('c', HeadTreatment.Coded), ('w', HeadTreatment.Window), ('r', HeadTreatment.Raw), ('8', HeadTreatment.Bits8), ('4', HeadTreatment.Bits4), ('3', HeadTreatment.Bits3), ('2', HeadTreatment.Bits2)];

    /// <param name="layers">By layer and head.</param>
    internal HeadTable(IEnumerable<ImmutableArray<HeadTreatment>> layers) => Layers = [.. layers];

    /// <summary>By layer and head.</summary>
    public ImmutableArray<ImmutableArray<HeadTreatment>> Layers { get; }

    /// <summary>The table by which a codec was made.</summary>
    public static HeadTable Of(DeltaKvCodec codec) => new(codec.Layers.Select(layer => Of(layer, codec.Model.KvHeads)));

    /// <summary>The row by which a layer's codec was made.</summary>
    public static ImmutableArray<HeadTreatment> Of(CodecLayer layer, int heads) =>
        [.. Enumerable.Range(0, heads).Select(head => layer is { Treatment: LayerTreatment.Coded, Codec: { } codec } ? Of(codec, head) : HeadTreatment.Coded)];

    /// <summary>Reads a table from its text.</summary>
    /// <exception cref="ArgumentException">It has another form.</exception>
    public static HeadTable Parse(string text) => new(text.Split(Separator).Select(row => row.Select(letter => Treatment(text, letter)).ToImmutableArray()));

    /// <summary>Reads a table from a codec's file, or from its text.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static HeadTable Read(string text) => File.Exists(text) ? Of(CodecFile.Load(text)) : Parse(text);

    /// <summary>A layer of which nothing is stored but sinks and window.</summary>
    public static LinearCodec WindowOnly(int heads, int headDim) => new()
    {
        KeyHeads = heads,
        HeadDim = headDim,
        Mean = new float[2 * heads * headDim],
        Groups = [],
        WindowHeads = ulong.MaxValue >> (64 - heads),
    };

    /// <summary>Heads that are not coded with the others of their layer, a bit each.</summary>
    public static ulong Apart(ImmutableArray<HeadTreatment> row) =>
        row.Select((treatment, head) => treatment == HeadTreatment.Coded ? 0 : 1UL << head).Aggregate(0UL, (mask, bit) => mask | bit);

    /// <summary>Bytes per token of heads that a row leaves raw.</summary>
    public static int RawBytes(IEnumerable<HeadTreatment> row, int headDim) => 2 * 2 * headDim * row.Count(treatment => treatment == HeadTreatment.Raw);

    /// <summary>A row as text.</summary>
    public static string Text(IEnumerable<HeadTreatment> row) => string.Concat(row.Select(treatment => Array.Find(Letters, pair => pair.Treatment == treatment).Letter));

    /// <summary>The codec of a layer with what a row says of its heads: codes of heads that keep nothing, or something else, are gone.</summary>
    /// <exception cref="ArgumentException">A head is to have bits of its own and the layer's codec stores no steps.</exception>
    public static LinearCodec Apply(ImmutableArray<HeadTreatment> row, LinearCodec codec)
    {
        if (row.All(treatment => treatment == HeadTreatment.Coded))
            return codec;
        if (codec.Scales == CodeScales.Static && row.Any(treatment => treatment is not (HeadTreatment.Coded or HeadTreatment.Window or HeadTreatment.Raw)))
            throw new ArgumentException($"Heads '{Text(row)}': a transform shares its bits among heads by itself and stores no steps; a head of it is coded (c), raw (r) or window only (w).", nameof(row));
        var (heads, dim) = (codec.KeyHeads, codec.HeadDim);
        var window = codec.WindowHeads;
        for (var head = 0; head < heads; head++)
            window |= row[head] == HeadTreatment.Window ? 1UL << head : 0;
        var own = Enumerable.Range(0, 2 * heads).Where(part => row[part % heads] is not (HeadTreatment.Coded or HeadTreatment.Window))
            .Select(part => row[part % heads] == HeadTreatment.Raw ? IdentityCodec.Group(part, dim) : HadamardCodec.Group(part, dim, (ChunkWidth)row[part % heads]));
        return codec with { WindowHeads = window, Groups = [.. codec.Groups.Select(Rest).OfType<CodeGroup>(), .. own] };

        CodeGroup? Rest(CodeGroup group)
        {
            var others = Enumerable.Range(group.Start / dim, group.Length / dim).Where(part => row[part % heads] != HeadTreatment.Coded).ToArray();
            return others.Length == 0 ? group : others.Length == group.Length / dim ? null : group with { Down = Without(group.Down), Up = Without(group.Up) };

            float[] Without(float[] matrix)
            {
                var result = (float[])matrix.Clone();
                foreach (var part in others)
                {
                    for (var i = 0; i < group.Dimensions; i++)
                        result.AsSpan((i * group.Length) + (part * dim) - group.Start, dim).Clear();
                }

                return result;
            }
        }
    }

    /// <summary>Refuses a model of other layers or heads, naming both.</summary>
    /// <exception cref="CodecMismatchException">The table has another shape than the model.</exception>
    public void RequireModel(int layers, int heads)
    {
        if (Layers.Length != layers || Layers.Any(row => row.Length != heads))
        {
            throw new CodecMismatchException(
                $"The table of heads '{this}' has {Layers.Length} layers of {string.Join(" and ", Layers.Select(row => row.Length).Distinct())} heads; the model has {layers} of {heads}. Make one with 'deltakv calibrate --heads table'.");
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Separator, Layers.Select(row => Text(row)));

    private static HeadTreatment Treatment(string text, char letter)
    {
        foreach (var pair in Letters)
        {
            if (pair.Letter == letter)
                return pair.Treatment;
        }

        throw new ArgumentException(
            $"'{text}' is neither a codec's file nor a table of heads, which has a letter per head and '{Separator}' between layers; the letters are {string.Join(", ", Letters.Select(pair => pair.Letter))}.", nameof(text));
    }

    private static HeadTreatment Of(LinearCodec codec, int head)
    {
        if (!codec.KeepsHistory(head))
            return HeadTreatment.Window;
        CodeGroup[] groups = [codec.Groups[codec.DecoderOf(head)], codec.Groups[codec.DecoderOf(codec.KeyHeads + head)]];
        var widths = groups.SelectMany(group => group.Chunks).Distinct().ToArray();
        return widths.Length == 1 && groups.All(group => group.Length == codec.HeadDim && group.Dimensions >= codec.HeadDim) ? (HeadTreatment)widths[0] : HeadTreatment.Coded;
    }
}
