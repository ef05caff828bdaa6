using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Sizes of a codec's networks, and where its parameters lie in one vector: hidden weight and bias, down, the decoder's hidden weight and bias, up and its bias.</summary>
/// <param name="Width">Elements of a kv row, a multiple of 16.</param>
/// <param name="Activation">The hidden layer; null: there is none and down is applied to the residual itself.</param>
/// <param name="Features">Features of the hidden layer, a multiple of 16.</param>
/// <param name="Latents">Latents, a multiple of 32.</param>
/// <param name="Decoder">The hidden layer of the decoder; null: it is linear.</param>
/// <param name="DecoderFeatures">Features of that, a multiple of 16.</param>
internal sealed record NetworkShape(int Width, FeatureActivation? Activation, int Features, int Latents, FeatureActivation? Decoder = null, int DecoderFeatures = 0)
{
    /// <summary>Rows of the hidden weight; 0 without a hidden layer.</summary>
    internal int Rows => RowsOf(Activation, Features);

    /// <summary>Rows of the decoder's hidden weight; 0 where it is linear.</summary>
    internal int DecoderRows => RowsOf(Decoder, DecoderFeatures);

    /// <summary>What up is applied to.</summary>
    internal int Terms => Decoder is null ? Latents : DecoderFeatures;

    /// <summary>What down is applied to.</summary>
    internal int Inputs => Activation is null ? Width : Features;

    /// <summary>First element of the hidden bias <c>[rows]</c>; before it lies the weight <c>[rows, width]</c>.</summary>
    internal long Bias => (long)Rows * Width;

    /// <summary>First element of down <c>[latents, inputs]</c>.</summary>
    internal long Down => Bias + Rows;

    /// <summary>First element of the decoder's hidden weight <c>[decoder rows, latents]</c>.</summary>
    internal long DecoderWeight => Down + ((long)Latents * Inputs);

    /// <summary>First element of its bias <c>[decoder rows]</c>.</summary>
    internal long DecoderBias => DecoderWeight + ((long)DecoderRows * Latents);

    /// <summary>First element of up <c>[width, terms]</c>.</summary>
    internal long Up => DecoderBias + DecoderRows;

    /// <summary>First element of the bias of up <c>[width]</c>, which a decoder with GELU features has.</summary>
    internal long Offset => Up + ((long)Width * Terms);

    /// <summary>All parameters.</summary>
    internal long Count => Offset + (Decoder == FeatureActivation.Gelu ? Width : 0);

    /// <summary>Refuses sizes that the kernels do not take.</summary>
    internal void Validate()
    {
        if (Width <= 0 || Width % 16 != 0 || Latents <= 0 || Latents % LatentKernels.Group32 != 0 || Latents > Width)
            throw new ArgumentException($"A codec of {Latents} latents for rows of {Width}; latents are a multiple of {LatentKernels.Group32} and no more than a row, rows a multiple of 16.");
        if (Activation is not null && (Features <= 0 || Features % 16 != 0))
            throw new ArgumentException($"A hidden layer of {Features} features; a positive multiple of 16 is needed.");
        if (Decoder is not null && (DecoderFeatures <= 0 || DecoderFeatures % 16 != 0))
            throw new ArgumentException($"A hidden layer of {DecoderFeatures} features in the decoder; a positive multiple of 16 is needed.");
    }

    private static int RowsOf(FeatureActivation? activation, int features) => activation switch
    {
        FeatureActivation.SwiGlu => 2 * features,
        FeatureActivation.Gelu => features,
        _ => 0,
    };
}
