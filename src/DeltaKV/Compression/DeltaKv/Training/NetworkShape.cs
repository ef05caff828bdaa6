using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Sizes of a codec's networks, and where its parameters lie in one vector: hidden weight and bias, down, up.</summary>
/// <param name="Width">Elements of a kv row, a multiple of 16.</param>
/// <param name="Activation">The hidden layer; null: there is none and down is applied to the residual itself.</param>
/// <param name="Features">Features of the hidden layer, a multiple of 16.</param>
/// <param name="Latents">Latents, a multiple of 32.</param>
internal sealed record NetworkShape(int Width, FeatureActivation? Activation, int Features, int Latents)
{
    /// <summary>Rows of the hidden weight; 0 without a hidden layer.</summary>
    internal int Rows => Activation switch
    {
        FeatureActivation.SwiGlu => 2 * Features,
        FeatureActivation.Gelu => Features,
        _ => 0,
    };

    /// <summary>What down is applied to.</summary>
    internal int Inputs => Activation is null ? Width : Features;

    /// <summary>First element of the hidden bias <c>[rows]</c>; before it lies the weight <c>[rows, width]</c>.</summary>
    internal long Bias => (long)Rows * Width;

    /// <summary>First element of down <c>[latents, inputs]</c>.</summary>
    internal long Down => Bias + Rows;

    /// <summary>First element of up <c>[width, latents]</c>.</summary>
    internal long Up => Down + ((long)Latents * Inputs);

    /// <summary>All parameters.</summary>
    internal long Count => Up + ((long)Width * Latents);

    /// <summary>Refuses sizes that the kernels do not take.</summary>
    internal void Validate()
    {
        if (Width <= 0 || Width % 16 != 0 || Latents <= 0 || Latents % LatentKernels.Group32 != 0 || Latents > Width)
            throw new ArgumentException($"A codec of {Latents} latents for rows of {Width}; latents are a multiple of {LatentKernels.Group32} and no more than a row, rows a multiple of 16.");
        if (Activation is not null && (Features <= 0 || Features % 16 != 0))
            throw new ArgumentException($"A hidden layer of {Features} features; a positive multiple of 16 is needed.");
    }
}
