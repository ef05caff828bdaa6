namespace DeltaKV.Tests.Reference;

/// <summary>Rotary position embedding in the half-split layout: dimension i turns with dimension i + D/2.</summary>
internal sealed class Rope
{
    private readonly int _half;
    private readonly float[] _cos;
    private readonly float[] _sin;

    public Rope(int headDim, double theta, int positions)
    {
        _half = headDim / 2;
        _cos = new float[positions * _half];
        _sin = new float[positions * _half];
        for (var i = 0; i < _cos.Length; i++)
        {
            var (sin, cos) = Math.SinCos(i / _half * Math.Pow(theta, -(i % _half) / (double)_half));
            (_sin[i], _cos[i]) = ((float)sin, (float)cos);
        }
    }

    /// <summary>Turns one head vector to its position; <paramref name="inverse"/> turns it back.</summary>
    public void Rotate(Span<float> head, int position, bool inverse = false)
    {
        for (var i = 0; i < _half; i++)
        {
            var cos = _cos[position * _half + i];
            var sin = inverse ? -_sin[position * _half + i] : _sin[position * _half + i];
            var (x, y) = (head[i], head[i + _half]);
            head[i] = x * cos - y * sin;
            head[i + _half] = y * cos + x * sin;
        }
    }
}
