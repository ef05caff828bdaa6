using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv.Calibration;

namespace DeltaKV.Tests.Reference;

/// <summary>Encodes and decodes single tokens in double precision, into the very records the kernels read: their reference.</summary>
/// <remarks>Integers lie where <see cref="RecordBits"/> says; 16-bit chunks hold halves in order.</remarks>
internal sealed class ScalarCodec
{
    private readonly LinearCodec _codec;
    private readonly RecordLayout _layout;
    private readonly RecordBits _bits;
    private readonly double[][] _down;
    private readonly double[][] _up;

    public ScalarCodec(LinearCodec codec)
    {
        codec.Validate();
        _codec = codec;
        _layout = RecordLayout.Of(codec);
        _bits = new RecordBits(codec);
        _down = [.. codec.Groups.Select(group => Array.ConvertAll(group.Down, value => (double)value))];
        _up = [.. codec.Groups.Select(group => Array.ConvertAll(group.Up, value => (double)value))];
    }

    /// <summary>Bytes of a record: codes, scales, reference ids and padding.</summary>
    public int RecordBytes => _layout.Bytes;

    /// <summary>Codes a row. Reference ids are the search's to write and are left alone.</summary>
    /// <param name="row">Pre-RoPE kv, <c>[Width]</c>.</param>
    /// <param name="reference">The mean of the row's references; empty when there are none.</param>
    /// <param name="record">Receives <see cref="RecordBytes"/> bytes.</param>
    public void Encode(ReadOnlySpan<float> row, ReadOnlySpan<float> reference, Span<byte> record)
    {
        var residual = new double[row.Length];
        for (var i = 0; i < residual.Length; i++)
            residual[i] = row[i] - (double)_codec.Mean[i] - (reference.IsEmpty ? 0 : reference[i]);
        var words = MemoryMarshal.Cast<byte, uint>(record);
        words[.._layout.IdWord].Clear();
        var coordinates = _codec.Groups.Select((group, g) => Enumerable.Range(0, group.Dimensions).Select(i => TensorPrimitives.Dot<double>(
            _down[g].AsSpan(i * group.Length, group.Length), residual.AsSpan(group.Start, group.Length))).ToArray()).ToArray();
        var (chunk, scale) = (0, 0);
        var shared = _codec.Scales == CodeScales.PerToken ? Range(coordinates, _codec) : default;
        for (var g = 0; g < coordinates.Length; g++)
        {
            var first = 0;
            foreach (var width in _codec.Groups[g].Chunks)
            {
                var values = coordinates[g].AsSpan(first, CodeGroup.DimensionsOf(width));
                first += values.Length;
                var own = chunk++;
                if (width == ChunkWidth.Bits16)
                {
                    var halves = MemoryMarshal.Cast<uint, Half>(words.Slice(own * 4, 4));
                    for (var i = 0; i < values.Length; i++)
                        halves[i] = (Half)values[i];
                    continue;
                }

                var (step, zero) = (1.0, 0.0);
                if (_codec.Scales != CodeScales.Static)
                {
                    var index = _codec.Scales == CodeScales.PerChunk ? scale : 0;
                    (step, zero) = Scale(_codec.Scales == CodeScales.PerChunk ? Range(values) : shared, width, words.Slice(_layout.ScaleWord + index, 1));
                }

                scale++;
                for (var i = 0; i < values.Length; i++)
                {
                    var code = _codec.Scales == CodeScales.Static
                        ? UniformQuantizer.Code(values[i], width)
                        : (int)Math.Clamp(Math.Round(step > 0 ? (values[i] - zero) / step : 0), 0, (1 << (int)width) - 1);
                    _bits.Write(words, own, width, i, (uint)code);
                }
            }
        }
    }

    /// <summary>Reconstructs a row.</summary>
    public void Decode(ReadOnlySpan<byte> record, ReadOnlySpan<float> reference, Span<float> row)
    {
        var words = MemoryMarshal.Cast<byte, uint>(record);
        var (chunk, scale) = (0, 0);
        var sums = new double[row.Length];
        for (var g = 0; g < _codec.Groups.Length; g++)
        {
            var group = _codec.Groups[g];
            var dimension = 0;
            foreach (var width in group.Chunks)
            {
                var own = chunk++;
                var (step, zero) = (1.0, 0.0);
                if (width != ChunkWidth.Bits16 && _codec.Scales != CodeScales.Static)
                {
                    var pair = MemoryMarshal.Cast<uint, Half>(words.Slice(_layout.ScaleWord + (_codec.Scales == CodeScales.PerChunk ? scale : 0), 1));
                    (step, zero) = ((double)pair[0], (double)pair[1]);
                }

                scale += width == ChunkWidth.Bits16 ? 0 : 1;
                for (var i = 0; i < CodeGroup.DimensionsOf(width); i++, dimension++)
                {
                    var code = width == ChunkWidth.Bits16 ? 0 : (int)_bits.Read(words, own, width, i);
                    var value = width == ChunkWidth.Bits16 ? (double)MemoryMarshal.Cast<uint, Half>(words.Slice(own * 4, 4))[i]
                        : _codec.Scales == CodeScales.Static ? UniformQuantizer.Value(code, width) : step * code + zero;
                    for (var start = 0; start < group.Length; start += _codec.HeadDim)
                    {
                        // Where groups overlap, the last one decodes.
                        if (_codec.DecoderOf((group.Start + start) / _codec.HeadDim) != g)
                            continue;
                        var target = sums.AsSpan(group.Start + start, _codec.HeadDim);
                        TensorPrimitives.MultiplyAdd(_up[g].AsSpan((dimension * group.Length) + start, _codec.HeadDim), value, target, target);
                    }
                }
            }
        }

        for (var i = 0; i < row.Length; i++)
            row[i] = (float)(sums[i] + _codec.Mean[i] + (reference.IsEmpty ? 0 : reference[i]));
    }

    private static (double Low, double High) Range(ReadOnlySpan<double> values) => (TensorPrimitives.Min(values), TensorPrimitives.Max(values));

    private static (double Low, double High) Range(double[][] coordinates, LinearCodec codec)
    {
        var integers = coordinates.SelectMany((values, g) => values.Skip(8 * codec.Groups[g].Chunks.Count(c => c == ChunkWidth.Bits16))).ToArray();
        return integers.Length == 0 ? default : Range(integers);
    }

    private static (double Step, double Zero) Scale((double Low, double High) range, ChunkWidth width, Span<uint> word)
    {
        var pair = MemoryMarshal.Cast<uint, Half>(word);
        pair[0] = (Half)((range.High - range.Low) / ((1 << (int)width) - 1));
        pair[1] = (Half)range.Low;
        return ((double)pair[0], (double)pair[1]);
    }
}
