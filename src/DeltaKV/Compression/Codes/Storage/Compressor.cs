using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>Runs a flush: gather, store references, search, features where an encoder has them, encode, all layers and sequences at once, in passes that fit the workspace. Nothing waits.</summary>
internal sealed class Compressor : IDisposable
{
    private const long WorkspaceBytes = 32 << 20;
    internal const long FeatureWorkspaceBytes = 256 << 20;
    private const int MaxSplits = 16;

    private readonly Accelerator accelerator;
    private readonly CodedKvFormat format;
    private readonly CodeTables codes;
    private readonly CodedMemory memory;
    private readonly GatherKernel gather;
    private readonly StoreReferencesKernel storeReferences;
    private readonly SearchKernel search;
    private readonly SketchKernel sketch;
    private readonly CoarseSearchKernel coarse;
    private readonly RefineKernel refine;
    private readonly ReferenceMeanKernel referenceMeans;
    private readonly FeatureKernel features;
    private readonly EncodeKernel encode;
    private readonly int maxItems;
    private readonly int itemsPerPass;
    private readonly PageLockedArray1D<FlushItem> itemStaging;
    private readonly PageLockedArray1D<SearchGroup> groupStaging;
    private readonly DeviceBuffers buffers;
    private readonly ArrayView<FlushItem> items;
    private readonly ArrayView<SearchGroup> groups;
    private readonly ArrayView<uint> rows;
    private readonly ArrayView<uint> bases;
    private readonly ArrayView<uint> differences;
    private readonly ArrayView<Candidate> candidates;
    private readonly ArrayView<UInt4> sketches;
    private readonly ArrayView<float> sketchSteps;
    private readonly ArrayView<int> coarseCandidates;

    /// <param name="accelerator">Where it runs.</param>
    /// <param name="format">What is stored.</param>
    /// <param name="codes">The codecs on the device; not owned.</param>
    /// <param name="memory">Where sketches of references are; not owned.</param>
    /// <param name="maxTokens">The most tokens of a flush.</param>
    internal Compressor(Accelerator accelerator, CodedKvFormat format, CodeTables codes, CodedMemory memory, int maxTokens)
    {
        (this.accelerator, this.format, this.codes, this.memory) = (accelerator, format, codes, memory);
        (sketch, coarse, refine) = (new(accelerator), new(accelerator), new(accelerator));
        (gather, storeReferences, search) = (new(accelerator), new(accelerator), new(accelerator));
        (referenceMeans, features, encode) = (new(accelerator), new(accelerator), new(accelerator));
        RequireRoom(accelerator, codes);
        buffers = new DeviceBuffers(accelerator);
        maxItems = CodedKvFormat.Blocks(maxTokens, CodedKvFormat.BlockTokens);
        // With features a pass also holds means of references, and it should be long enough to be worth reading their weights.
        var hasFeatures = codes.FeatureWidth > 0;
        var tokenBytes = (long)format.Codecs.Count * sizeof(ushort) * (hasFeatures ? (2 * codes.Width) + codes.FeatureWidth : codes.Width);
        itemsPerPass = (int)Math.Clamp((hasFeatures ? FeatureWorkspaceBytes : WorkspaceBytes) / (CodedKvFormat.BlockTokens * tokenBytes), 4, Math.Max(maxItems, 4));
        itemStaging = accelerator.AllocatePageLocked1D<FlushItem>(maxItems);
        groupStaging = accelerator.AllocatePageLocked1D<SearchGroup>(maxItems);
        items = buffers.Allocate<FlushItem>(maxItems);
        groups = buffers.Allocate<SearchGroup>(maxItems);
        long tokens = (long)format.Codecs.Count * itemsPerPass * CodedKvFormat.BlockTokens;
        rows = buffers.Allocate<uint>(tokens * codes.Width / 2);
        bases = buffers.Allocate<uint>(hasFeatures ? tokens * codes.Width / 2 : 1);
        differences = buffers.Allocate<uint>(hasFeatures ? tokens * codes.FeatureWidth / 2 : 1);
        candidates = buffers.Allocate<Candidate>(format.HasReferences ? tokens * MaxSplits * 4 : 1);
        sketches = buffers.Allocate<UInt4>(format.HasSketches ? tokens * Sketch.Pieces : 1);
        sketchSteps = buffers.Allocate<float>(format.HasSketches ? tokens : 1);
        coarseCandidates = buffers.Allocate<int>(format.HasSketches ? tokens * Sketch.Candidates : 1);
    }

    /// <summary>Refuses encoders whose input, for 16 tokens, does not fit the shared memory of a group.</summary>
    /// <exception cref="NotSupportedException">How large it is and how large it may be.</exception>
    private static void RequireRoom(Accelerator accelerator, CodeTables codes)
    {
        // Ids and ranges of the tokens take some of it.
        const int OfTokens = 1024;
        var largest = ((accelerator.Device.MaxDynamicSharedMemoryPerGroup - OfTokens) / (CodedKvFormat.BlockTokens * 16) - 1) * 8 / 16 * 16;
        if (Math.Max(codes.Width, codes.FeatureWidth) > largest)
        {
            throw new NotSupportedException(
                $"An encoder has {codes.FeatureWidth} hidden features for rows of {codes.Width}; {accelerator.Name} can hold 16 tokens of at most {largest} of either.");
        }
    }

    /// <summary>What it allocates for rows and their search; features are the format's to count.</summary>
    internal static long WorkBytes(CodedKvFormat format, int maxTokens)
    {
        if (format.Codecs.Count == 0)
            return 0;
        // As the constructor sizes a pass of linear encoders; one with features is no longer.
        var itemRows = (long)CodedKvFormat.BlockTokens * format.Codecs.Count;
        var items = Math.Clamp(WorkspaceBytes / (itemRows * format.RawTokenBytes), 4, Math.Max(CodedKvFormat.Blocks(maxTokens, CodedKvFormat.BlockTokens), 4));
        return items * itemRows * (format.RawTokenBytes + (format.HasReferences ? 4 * MaxSplits * 8 : 0) + (format.HasSketches ? Sketch.Width + sizeof(float) + (4 * Sketch.Candidates) : 0));
    }

    /// <summary>Compresses the items, which are in order of sequence and position. Their raw blocks may be given away afterwards.</summary>
    internal void Run(AcceleratorStream stream, IReadOnlyList<FlushItem> work, CodePoolView pool, KvBlocks<BFloat16> raw, long layerElements)
    {
        for (var start = 0; start < work.Count; start += maxItems)
            Run(stream, work, start, Math.Min(maxItems, work.Count - start), pool, raw, layerElements);
    }

    public void Dispose()
    {
        itemStaging.Dispose();
        groupStaging.Dispose();
        buffers.Dispose();
    }

    private void Run(
        AcceleratorStream stream, IReadOnlyList<FlushItem> work, int start, int count, CodePoolView pool, KvBlocks<BFloat16> raw, long layerElements)
    {
        for (var i = 0; i < count; i++)
            itemStaging.Span[i] = work[start + i];
        var (groupCount, passGroups) = (0, new List<(int First, int Count, int Items, int Longest)>());
        for (var first = 0; first < count; first += itemsPerPass)
        {
            var itemCount = Math.Min(itemsPerPass, count - first);
            var (from, longest) = (groupCount, 0);
            for (var i = 0; i < itemCount;)
            {
                var size = GroupSize(work, start + first + i, Math.Min(4, itemCount - i));
                groupStaging.Span[groupCount++] = new SearchGroup(i, size);
                i += size;
                longest = Math.Max(longest, work[start + first + i - 1].Position + CodedKvFormat.BlockTokens);
            }

            passGroups.Add((from, groupCount - from, itemCount, longest));
        }

        items.CopyFromPageLockedAsync(stream, itemStaging, count);
        groups.CopyFromPageLockedAsync(stream, groupStaging, groupCount);
        for (var pass = 0; pass < passGroups.Count; pass++)
        {
            var (firstGroup, passGroupCount, itemCount, longest) = passGroups[pass];
            var flush = new FlushView
            {
                Pool = pool,
                Items = items.SubView(pass * itemsPerPass, itemCount),
                Groups = groups.SubView(firstGroup, passGroupCount),
                Units = codes.Units,
                Down = codes.Down,
                Center = codes.Center,
                Bases = bases,
                Features = differences,
                FeatureWidth = codes.FeatureWidth,
                Rows = rows,
                Candidates = candidates,
                TwoLevelFrom = format.Options.TwoLevelFrom,
                Sketches = sketches,
                SketchSteps = sketchSteps,
                ReferenceSketches = memory.Sketches,
                ReferenceScales = memory.SketchScales,
                CoarseCandidates = coarseCandidates,
                ItemCount = itemCount,
                Splits = Splits(passGroupCount, format.ReferencesBelow(longest)),
                Stride = format.Options.ReferenceStride,
                Origin = format.Options.Sinks,
                HeadDim = format.Shape.HeadDim,
            };
            gather.Launch(stream, flush, raw, layerElements / 2);
            if (format.HasReferences)
            {
                storeReferences.Launch(stream, flush);
                Search(stream, flush, passGroupCount, work, start + (pass * itemsPerPass));
            }

            if (codes.FeatureWidth > 0)
            {
                referenceMeans.Launch(stream, flush);
                features.Launch(stream, flush, codes);
            }

            encode.Launch(stream, flush);
        }
    }

    /// <summary>Items with few references behind them are searched exactly, the others in two levels; each kernel skips what is the other's.</summary>
    private void Search(AcceleratorStream stream, FlushView flush, int groupCount, IReadOnlyList<FlushItem> work, int first)
    {
        var longItems = 0;
        for (var i = 0; i < flush.ItemCount; i++)
            longItems += flush.IsLong(work[first + i]) ? 1 : 0;
        if (format.HasSketches)
            sketch.Launch(stream, flush);
        if (longItems < flush.ItemCount)
            search.Launch(stream, flush, groupCount);
        if (longItems == 0)
            return;
        coarse.Launch(stream, flush, groupCount);
        refine.Launch(stream, flush);
    }

    private int GroupSize(IReadOnlyList<FlushItem> work, int first, int limit)
    {
        var size = 1;
        while (size < limit
            && work[first + size].Sequence == work[first].Sequence
            && work[first + size].Position == work[first].Position + (size * CodedKvFormat.BlockTokens)
            && IsLong(work[first + size]) == IsLong(work[first]))
            size++;
        return size;
    }

    private bool IsLong(FlushItem item) => format.HasSketches && format.ReferencesBelow(item.Position + CodedKvFormat.BlockTokens) > format.Options.TwoLevelFrom;

    /// <summary>Enough groups for the device, while each still has a few tiles of references.</summary>
    private int Splits(int groupCount, int references) => Math.Max(1, Math.Min(
        Math.Min(MaxSplits, references / 256),
        accelerator.NumMultiprocessors * 2 / Math.Max(1, groupCount * format.Codecs.Count)));
}
