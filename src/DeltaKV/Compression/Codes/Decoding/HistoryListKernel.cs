using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Lists the tokens of a <see cref="HistorySpan"/>: entry <c>s tokens + n</c> is the n-th coded token that sequence s reads.</summary>
/// <remarks>A thread per entry; lengths and selections are read on the device, so that the launch depends on the room alone. Writes 12 bytes per entry: bound by memory.</remarks>
internal sealed class HistoryListKernel(Accelerator accelerator)
{
    private const int Threads = 128;

    private readonly KernelHandle<Arguments> list = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, HistorySpan span, ArrayView<DecodeToken> tokens, int first, int count) => list.Launch(
        stream, new KernelConfig((count + Threads - 1) / Threads, Threads), new Arguments { Span = span, Tokens = tokens, First = first, Count = count });

    private static void Kernel(Arguments arguments)
    {
        var index = (Grid.IdxX * Threads) + Group.IdxX;
        if (index >= arguments.Count)
            return;
        var span = arguments.Span;
        var place = (arguments.First + index) / span.TokensPerSequence;
        var number = (arguments.First + index) % span.TokensPerSequence;
        var token = new DecodeToken { Sequence = span.FirstSequence + place, Position = -1, Slot = 0 };
        if (place < span.Sequences && (span.Positions.Length == 0 || span.Positions[Math.Min(place, span.Sequences - 1)] >= 0))
        {
            var limits = span.Order.Bounds[token.Sequence];
            var selected = span.Order.SelectedOf(token.Sequence, 0);
            var count = selected < 0 ? limits.CodedEnd - limits.CodedStart : selected;
            if (number < count)
                token.Position = span.Order.PositionAt(token.Sequence, 0, limits, selected, count, int.MaxValue, true, number);
            token.Slot = (place * span.SlotsPerSequence) + limits.CodedStart + number;
        }

        arguments.Tokens[index] = token;
    }

    private struct Arguments
    {
        public HistorySpan Span;
        public ArrayView<DecodeToken> Tokens;
        public int First;
        public int Count;
    }
}
