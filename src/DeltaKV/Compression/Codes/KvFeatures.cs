namespace DeltaKV.Compression.Codes;

/// <summary>The hidden layer of a nonlinear encoder or decoder: <c>phi(x) = activation(W x + b)</c>, x a range of the kv row, or what is stored of it.</summary>
/// <remarks>
/// An encoder <c>f(x) = down phi(x)</c> ends in a linear layer, so <c>f(kv) - f(r) = down (phi(kv) - phi(r))</c>: what is quantised is a linear code of the difference
/// of features, and everything after the features is the same as without them. A bias of that last layer cancels. A decoder <c>f(z) = up phi(z)</c> has no such luck: what is read goes through the network.
/// </remarks>
/// <param name="Activation">The nonlinearity.</param>
/// <param name="Count">Features, a multiple of 16.</param>
/// <param name="Weight"><c>[rows, length]</c>, of a decoder <c>[rows, dimensions]</c>; twice as many rows as features for <see cref="FeatureActivation.SwiGlu"/>.</param>
/// <param name="Bias"><c>[rows]</c>.</param>
internal sealed record KvFeatures(FeatureActivation Activation, int Count, float[] Weight, float[] Bias)
{
    /// <summary>Rows of the weight.</summary>
    internal int Rows => Activation == FeatureActivation.SwiGlu ? 2 * Count : Count;
}
