using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Decoding;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Hot;

/// <summary>
/// Reconstructions, bf16 with keys after RoPE, of tokens that are selected step after step: a bounded number of slots per sequence and layer, the least recently selected given away. Layers between
/// two observation layers read the same tokens and share one map.
/// </summary>
internal sealed class HotSet : IDecodeKernel<CodeReader>, IDisposable
{
    /// <summary>Binary logarithm of the slots of a block.</summary>
    internal const int SlotShift = 4;

    private readonly CodedKvFormat format;
    private readonly int sequences;
    private readonly int sequenceTokens;
    private readonly int[] observers;
    private readonly int[] groupOf;
    private readonly int groups;
    private readonly CodedSequence?[] owners;
    private readonly PageLockedArray1D<int> staging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> tables;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> maps;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> totals;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> keys;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> values;
    private readonly HotPlanKernel plan;
    private readonly HotFillKernel<CodeReader> fill;
    private readonly MissListKernel misses;
    private readonly Reconstructor? reconstructor;
    private readonly ReaderDecodeKernel<HotReader> decode;
    private readonly int[] hotLayer;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="format">What is stored; its options say how many slots there are.</param>
    /// <param name="limits">The most sequences and tokens of a sequence.</param>
    /// <param name="reconstructor">Decodes for layers whose decoder has a hidden layer; not owned, null where none has.</param>
    internal HotSet(Accelerator accelerator, CodedKvFormat format, KvLimits limits, Reconstructor? reconstructor = null)
    {
        (this.format, sequences, sequenceTokens, this.reconstructor) = (format, limits.Sequences, limits.SequenceTokens, reconstructor);
        var observers = format.Observers.Order().ToArray();
        groups = observers.Length;
        this.observers = observers;
        var coded = Enumerable.Range(0, format.LayerCount).Where(layer => format.CodedLayer[layer] >= 0).ToArray();
        groupOf = [.. coded.Select(layer => observers.Count(observer => observer < layer) - 1)];
        var hot = 0;
        hotLayer = [.. coded.Select(layer => format.IsHot(layer) ? hot++ : -1)];
        owners = new CodedSequence?[sequences];
        staging = accelerator.AllocatePageLocked1D<int>((long)sequences * (Blocks + 1));
        tables = accelerator.Allocate1D<int>((long)sequences * (Blocks + 1));
        maps = accelerator.Allocate1D<int>(groups * GroupWords);
        totals = accelerator.Allocate1D(new int[2]);
        var elements = (long)hot * sequences * Slots * format.Shape.KeyHeads * format.Shape.HeadDim;
        keys = accelerator.Allocate1D<BFloat16>(elements);
        values = accelerator.Allocate1D<BFloat16>(elements);
        plan = new HotPlanKernel(accelerator);
        fill = new HotFillKernel<CodeReader>(accelerator);
        misses = new MissListKernel(accelerator);
        decode = new ReaderDecodeKernel<HotReader>(accelerator);
    }

    private int Slots => format.Options.HotTokens;

    private int Blocks => Slots >> SlotShift;

    private int ListStride => Slots;

    /// <summary>Words of the maps of a sequence in a group.</summary>
    private long PlaceWords => sequenceTokens + (2L * Slots) + 1;

    /// <summary>Words of the maps and plans of a group.</summary>
    private long GroupWords => sequences * (PlaceWords + (3L * ListStride) + 2);

    /// <summary>What a hot set allocates besides its slots.</summary>
    internal static long WorkBytes(CodedKvFormat format, KvLimits limits)
    {
        long slots = format.Options.HotTokens;
        return slots == 0 ? 0 : sizeof(int) * limits.Sequences * ((slots >> SlotShift) + 1 + (format.Observers.Count * (limits.SequenceTokens + (5 * slots) + 3)));
    }

    /// <summary>Selected tokens so far, and how many of them were found; waits for the device.</summary>
    internal (int Selected, int Found) Totals()
    {
        var both = totals.GetAsArray1D();
        return (both[0], both[1]);
    }

    /// <summary>Gives every sequence of a step its slots and says where they are. Outside captured graphs.</summary>
    internal void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> steps)
    {
        var words = staging.Span;
        for (var row = 0; row < steps.Length; row++)
        {
            var sequence = (CodedSequence)steps[row].Cache;
            if (sequence.HotPlace < 0)
                Take(stream, sequence, steps);
            words[row] = sequence.HotPlace;
            for (var block = 0; block < Blocks; block++)
                words[sequences + (row * Blocks) + block] = (sequence.HotPlace * Blocks) + block;
        }

        if (steps.Length > 0)
            tables.View.BaseView.CopyFromPageLockedAsync(stream, staging, sequences + (steps.Length * Blocks));
    }

    /// <summary>Plans for the layers after an observation layer, from what it selected.</summary>
    internal void Plan(AcceleratorStream stream, int observer, TokenRows rows, TokenOrder order, int rowCount) =>
        plan.Launch(stream, rows, order, Maps(Array.IndexOf(observers, observer)), rowCount);

    /// <summary>Fills in what a layer misses and attends through the slots.</summary>
    public void Launch(AcceleratorStream stream, DecodeArguments<CodeReader> arguments, AttentionShape shape, int rowCount)
    {
        var reader = arguments.Reader;
        var layer = reader.Layer;
        var group = Maps(groupOf[layer]);
        var size = (long)sequences * Slots * format.Shape.KeyHeads * format.Shape.HeadDim;
        var slots = new KvBlocks<BFloat16>(
            keys.View.BaseView.SubView(hotLayer[layer] * size, size), values.View.BaseView.SubView(hotLayer[layer] * size, size), tables.View.BaseView.SubView(sequences), Blocks, SlotShift);
        if (format.Codecs[layer].HasHiddenDecoder)
            reconstructor!.Run(stream, reader.Pool, layer, new MissList(misses, arguments.Rows, group, slots, rowCount), rowCount * Slots, slots);
        else
            fill.Launch(stream, reader, slots, arguments.Rows, group, arguments.Order.WindowHeads, shape, rowCount);
        decode.Launch(
            stream,
            arguments.Through(new HotReader(slots.Eights(), reader.Raw, format.Shape.KeyHeads)) with
            {
                Order = new TokenOrder(arguments.Order.Bounds, group.Lists, group.Counts, ListStride, windowHeads: arguments.Order.WindowHeads),
                Splits = Math.Min(arguments.Splits, Math.Max(1, Slots / (16 * ReaderDecodeKernel<HotReader>.Warps))),
            },
            shape,
            rowCount);
    }

    public void Dispose()
    {
        staging.Dispose();
        tables.Dispose();
        maps.Dispose();
        totals.Dispose();
        keys.Dispose();
        values.Dispose();
    }

    /// <summary>A place that nobody has any more, or that of a sequence that is not in the step; empty.</summary>
    private void Take(AcceleratorStream stream, CodedSequence sequence, ReadOnlySpan<SequenceStep> steps)
    {
        var place = Array.FindIndex(owners, owner => owner is null);
        for (var i = 0; i < owners.Length && place < 0; i++)
        {
            var isIdle = owners[i]!.HotPlace != i;
            if (!isIdle)
            {
                isIdle = true;
                foreach (var step in steps)
                    isIdle &= step.Cache != owners[i];
            }

            place = isIdle ? i : -1;
        }

        if (owners[place] is { } before && before.HotPlace == place)
            before.HotPlace = -1;
        owners[place] = sequence;
        sequence.HotPlace = place;
        for (var group = 0; group < groups; group++)
        {
            var words = maps.View.BaseView.SubView(group * GroupWords);
            // No position has a slot, no slot a position; nothing was ever planned.
            words.SubView((long)place * sequenceTokens, sequenceTokens).MemSet(stream, 0xff);
            words.SubView(((long)sequences * sequenceTokens) + ((long)place * Slots), Slots).MemSet(stream, 0xff);
            words.SubView(((long)sequences * (sequenceTokens + Slots)) + ((long)place * Slots), Slots).MemSet(stream, 0);
            words.SubView(((long)sequences * (sequenceTokens + (2L * Slots))) + place, 1).MemSet(stream, 0);
        }
    }

    private HotMaps Maps(int group)
    {
        var words = maps.View.BaseView.SubView(group * GroupWords, GroupWords);
        var next = 0L;
        return new HotMaps
        {
            Places = tables.View.BaseView.SubView(0, sequences),
            SlotOf = Part(sequenceTokens),
            TokenStride = sequenceTokens,
            PositionOf = Part(Slots),
            LastPlan = Part(Slots),
            Plans = Part(1),
            Slots = Slots,
            Lists = Part(ListStride),
            MissPositions = Part(ListStride),
            MissSlots = Part(ListStride),
            Counts = Part(1),
            MissCounts = Part(1),
            ListStride = ListStride,
            Totals = totals.View,
        };

        ArrayView<int> Part(long perSequence)
        {
            var part = words.SubView(next, sequences * perSequence);
            next += sequences * perSequence;
            return part;
        }
    }
}
