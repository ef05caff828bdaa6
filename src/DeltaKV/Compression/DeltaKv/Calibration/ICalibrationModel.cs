using DeltaKV.Evaluation;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>A model that calibration can read documents with; it runs the full cache.</summary>
internal interface ICalibrationModel
{
    /// <summary>Which model it is.</summary>
    ModelFingerprint Fingerprint { get; }

    /// <summary>Its tokenizer.</summary>
    IEvaluationTokenizer Tokenizer { get; }

    /// <summary>A layer's attention.</summary>
    AttentionGeometry Geometry(int layer);

    /// <summary>Reads a document and shows every layer's cache and queries, each layer once, in order.</summary>
    /// <param name="tokens">The document.</param>
    /// <param name="queryPositions">Ascending positions whose queries are wanted.</param>
    /// <param name="visit">Called on this thread.</param>
    void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> queryPositions, CalibrationVisitor visit);
}
