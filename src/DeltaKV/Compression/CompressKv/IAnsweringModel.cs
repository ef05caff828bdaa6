using DeltaKV.Compression.DeltaKv.Calibration;

namespace DeltaKV.Compression.CompressKv;

/// <summary>A model that answers greedily with the full cache and shows what it did.</summary>
internal interface IAnsweringModel : ICalibrationModel
{
    /// <summary>Answers a prompt and shows every layer's cache and queries, each layer once, in order.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="maximumTokens">The longest answer.</param>
    /// <param name="window">How many of the prompt's last queries are wanted; those of all answer tokens follow them.</param>
    /// <param name="visit">Called on this thread when the answer is complete; rows are those of prompt and answer.</param>
    /// <returns>The answer, without an end mark.</returns>
    int[] Answer(ReadOnlySpan<int> prompt, int maximumTokens, int window, CalibrationVisitor visit);
}
