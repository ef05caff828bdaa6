namespace DeltaKV.Gpu;

/// <summary>Byte shuffles within registers. An extension to ILGPU's dialect.</summary>
public static class Bytes
{
    /// <summary>Picks four of the eight bytes of (<paramref name="low"/>, <paramref name="high"/>); digit i of the selector names byte i of the result.</summary>
    [PtxInstruction("prmt.b32 {r0}, {0}, {1}, {2};", Pure = true)]
    public static uint Permute(uint low, uint high, uint selector)
    {
        var source = ((ulong)high << 32) | low;
        var result = 0u;
        for (var i = 0; i < 4; i++)
            result |= (uint)((source >> (int)(8 * ((selector >> (4 * i)) & 7))) & 0xff) << (8 * i);
        return result;
    }

    /// <summary>The lower 16 bits of both: <paramref name="low"/> in the lower half of the result.</summary>
    public static uint PackLow(uint low, uint high) => Permute(low, high, 0x5410);

    /// <summary>The upper 16 bits of both: <paramref name="low"/> in the lower half of the result.</summary>
    public static uint PackHigh(uint low, uint high) => Permute(low, high, 0x7632);
}
