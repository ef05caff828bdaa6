namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Kinds of codecs that calibration makes.</summary>
internal enum CalibratedCodec
{
    /// <summary>Transform coding: coordinates by importance, widths and bytes where they lower the error most. See <see cref="KltCalibration"/>.</summary>
    Klt,

    /// <summary>The published shape: as many latents in every layer, all of one width. See <see cref="LatentCalibration"/>.</summary>
    Pca,

    /// <summary>Every head rotated and quantised in 4 bits, chunk by chunk: what needs no calibration, but for the choice of heads. See <see cref="HeadChoice"/>.</summary>
    Int4,

    /// <summary>The published encoder, trained: a SwiGLU network. See <see cref="Training.CodecTraining"/>.</summary>
    SwiGlu,

    /// <summary>A GELU network, trained.</summary>
    Gelu,
}
