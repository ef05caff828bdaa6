using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>The coded tokens that some sequences read, each of them at its own place: what attention over everything, or over a selection, needs.</summary>
/// <param name="kernel">Writes it.</param>
/// <param name="span">Which sequences, and how much room each has.</param>
internal readonly struct HistoryList(HistoryListKernel kernel, HistorySpan span) : ITokenList
{
    public void Write(AcceleratorStream stream, ArrayView<DecodeToken> tokens, int first, int count) => kernel.Launch(stream, span, tokens, first, count);
}
