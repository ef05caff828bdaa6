namespace DeltaKV.Gpu;

/// <summary>The 1D strides.</summary>
public static class Stride1D
{
    /// <summary>Neighbouring elements are neighbours in memory.</summary>
    public readonly struct Dense : IStride1D, IEquatable<Dense>
    {
        /// <inheritdoc/>
        public int StrideExtent => 1;

        /// <summary>All dense strides are equal.</summary>
        public static bool operator ==(Dense left, Dense right) => true;

        /// <summary>All dense strides are equal.</summary>
        public static bool operator !=(Dense left, Dense right) => false;

        /// <inheritdoc/>
        public bool Equals(Dense other) => true;

        /// <inheritdoc/>
        public override bool Equals(object? obj) => obj is Dense;

        /// <inheritdoc/>
        public override int GetHashCode() => 1;
    }
}
