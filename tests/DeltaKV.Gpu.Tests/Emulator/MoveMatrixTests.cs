namespace DeltaKV.Gpu.Tests.Emulator;

/// <summary>movmatrix against the fragment layout of the PTX manual.</summary>
public sealed class MoveMatrixTests
{
    [Fact]
    public void Movmatrix_transposes_the_tile_of_a_warp()
    {
        var random = new Random(Inputs.Seed);
        var tile = Enumerable.Range(0, 64).Select(_ => (ushort)random.Next(65536)).ToArray();
        var ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 input, .param .u64 output)
            {
            .reg .b32 %r<4>; .reg .b64 %rd<2>;
            ld.param.u64 %rd0, [input]; ld.param.u64 %rd1, [output];
            mov.u32 %r0, %tid.x;
            mad.wide.u32 %rd0, %r0, 4, %rd0;
            ld.global.u32 %r1, [%rd0];
            movmatrix.sync.aligned.m8n8.trans.b16 %r2, %r1;
            mad.wide.u32 %rd1, %r0, 8, %rd1;
            st.global.v2.u32 [%rd1], {%r2, %r1};
            }
            """;
        var output = new ushort[128];
        PtxRunner.Run(ptx, (1, 32), [tile, output]);
        for (var lane = 0; lane < 32; lane++)
        {
            for (var i = 0; i < 2; i++)
            {
                var (row, column) = (lane / 4, (2 * (lane % 4)) + i);
                Assert.Equal(tile[(column * 8) + row], output[(4 * lane) + i]);
                Assert.Equal(tile[(row * 8) + column], output[(4 * lane) + 2 + i]);
            }
        }
    }
}
