using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>The decoder of one group of a layer, its matrices on the device.</summary>
/// <param name="Part">The first part (keys or values of a head) that it decodes.</param>
/// <param name="FirstElement">First element of a kv row.</param>
/// <param name="Length">Elements of it.</param>
/// <param name="FirstDimension">First column among the layer's dimensions.</param>
/// <param name="Dimensions">Dimensions.</param>
/// <param name="Activation">The hidden layer's.</param>
/// <param name="FirstFeature">First column among the layer's features.</param>
/// <param name="Features">Features.</param>
/// <param name="Hidden">Weight of the hidden layer <c>[rows, dimensions]</c>, eights of halves.</param>
/// <param name="Biases">Its biases <c>[rows]</c>.</param>
/// <param name="Up">Weight of the last layer <c>[length, features]</c>, eights of halves; its bias is the codec's offset.</param>
internal sealed record DecoderGroup(
    int Part,
    int FirstElement,
    int Length,
    int FirstDimension,
    int Dimensions,
    FeatureActivation Activation,
    int FirstFeature,
    int Features,
    ArrayView<UInt4> Hidden,
    ArrayView<float> Biases,
    ArrayView<UInt4> Up);
