using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>What the rotary embedding of a layer needs.</summary>
/// <param name="inverseFrequencies">Angle per position <c>[headDim / 2]</c>, fp32.</param>
/// <param name="scale">What cos and sin are multiplied by: 1, or YaRN's attention factor.</param>
/// <param name="queryNorm">Weights <c>[headDim]</c> of the RMS norm of every query head, or an empty view.</param>
/// <param name="keyNorm">Weights <c>[headDim]</c> of the RMS norm of every key head, or an empty view.</param>
/// <param name="epsilon">Epsilon of those norms.</param>
internal readonly struct RopeWeights<T>(
    ArrayView<float> inverseFrequencies, float scale, ArrayView<T> queryNorm, ArrayView<T> keyNorm, float epsilon)
    where T : unmanaged
{
    /// <summary>Angle per position.</summary>
    public readonly ArrayView<float> InverseFrequencies = inverseFrequencies;

    /// <summary>Multiplies cos and sin.</summary>
    public readonly float Scale = scale;

    /// <summary>Norm of query heads.</summary>
    public readonly ArrayView<T> QueryNorm = queryNorm;

    /// <summary>Norm of key heads.</summary>
    public readonly ArrayView<T> KeyNorm = keyNorm;

    /// <summary>Epsilon of the norms.</summary>
    public readonly float Epsilon = epsilon;
}
