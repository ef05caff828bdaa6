using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class PtxParserTests
{
    [Fact]
    public void An_entry_reports_its_parameters_and_memory()
    {
        var module = PtxModule.Parse(PtxRunner.Header + """
            // a comment
            .visible .entry first(
                .param .u64 .ptr .global .align 16 a,
                .param .align 8 .b8 view[24], /* bytes of a struct */
                .param .f32 scale
            )
            .maxntid 256, 1, 1
            .minnctapersm 2
            {
            .shared .align 16 .b8 tile[100];
            .local .align 8 .b8 scratch[40];
            .pragma "nounroll";
            ret;
            }
            .visible .entry second() { ret; }
            .section .debug_str { .b8 65, 66, 0 }
            """);
        var entry = module.Entry("first");
        Assert.Equal(["a", "view", "scale"], entry.Parameters.Select(parameter => parameter.Name));
        Assert.Equal([8, 24, 4], entry.Parameters.Select(parameter => parameter.Size));
        Assert.Equal([8, 8, 4], entry.Parameters.Select(parameter => parameter.Alignment));
        Assert.Equal([0, 8, 32], entry.Parameters.Select(parameter => parameter.Offset));
        Assert.Equal(100, entry.StaticSharedBytes);
        Assert.Equal(40, entry.LocalBytes);
        Assert.Equal(2, module.Entries.Count);
        var missing = Assert.Throws<PtxParseException>(() => module.Entry("third"));
        Assert.Contains("first, second", missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("frobnicate.b32 %r0, %r1;")]
    [InlineData("add.rz.f32 %f0, %f1, %f2;")]
    [InlineData("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%r0}, {%r1}, {%r2}, {%r3};")]
    [InlineData("add.s32 %r0, %r1;")]
    [InlineData("bra NOWHERE;")]
    [InlineData("mov.u32 %r0, %no_such_register;")]
    [InlineData("add.s32 %r0, %r1, 12abc;")]
    [InlineData("ld.global.u32 %r0, [missing];")]
    public void What_cannot_be_executed_is_named_with_its_line(string instruction)
    {
        var ptx = PtxRunner.Header + ".visible .entry k()\n{\n.reg .b32 %r<4>;\n.reg .f32 %f<4>;\n" + instruction + "\n}\n";
        var exception = Assert.Throws<PtxParseException>(() => PtxModule.Parse(ptx));
        Assert.Equal(8, exception.Line);
        Assert.Contains(instruction, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Launches_out_of_range_are_refused()
    {
        const string ptx = PtxRunner.Header + ".visible .entry k() { ret; }";
        Assert.Throws<ArgumentException>(() => PtxRunner.Run(ptx, (1, 1025), []));
        Assert.Throws<ArgumentException>(() => PtxRunner.Run(ptx, (0, 32), []));
    }
}
