using System.Text;

namespace DeltaKV.Gpu.Tests.Emulator;

/// <summary>
/// Runs a few instructions once per element: the inputs arrive in <c>%a</c>, <c>%b</c>, <c>%c</c>, the result is taken from <c>%d</c>.
/// Every case runs with whole warps, then with a ragged last warp and with half of the lanes branched away, whose results must stay.
/// </summary>
internal static class LaneKernel
{
    public static TD[] Run<TA, TD>(string body, TA[] a)
        where TA : unmanaged
        where TD : unmanaged => Run<TD>(body, [a]);

    public static TD[] Run<TA, TB, TD>(string body, TA[] a, TB[] b)
        where TA : unmanaged
        where TB : unmanaged
        where TD : unmanaged => Run<TD>(body, [a, b]);

    public static TD[] Run<TA, TB, TC, TD>(string body, TA[] a, TB[] b, TC[] c)
        where TA : unmanaged
        where TB : unmanaged
        where TC : unmanaged
        where TD : unmanaged => Run<TD>(body, [a, b, c]);

    private static TD[] Run<TD>(string body, Array[] inputs)
        where TD : unmanaged
    {
        var count = inputs[0].Length;
        var expected = new TD[count];
        Launch(body, inputs, expected, 128, divergent: false);

        var ragged = new TD[count];
        Launch(body, inputs, ragged, 50, divergent: false);
        Assert.Equal(expected, ragged);

        var halved = new TD[count];
        Launch(body, inputs, halved, 64, divergent: true);
        for (var i = 0; i < count; i++)
            Assert.Equal(i % 3 == 1 ? default : expected[i], halved[i]);
        return expected;
    }

    private static void Launch<TD>(string body, Array[] inputs, TD[] output, int blockSize, bool divergent)
        where TD : unmanaged
    {
        var text = new StringBuilder(PtxRunner.Header);
        text.Append(".visible .entry lane(");
        for (var i = 0; i <= inputs.Length; i++)
            text.Append(".param .u64 p").Append(i).Append(", ");
        text.Append(".param .u32 count)\n{\n.reg .pred %p<8>;\n.reg .b32 %r<8>;\n.reg .b64 %rd<8>;\n.reg .b16 %h<8>;\n.reg .f32 %f<8>;\n.reg .f64 %fd<8>;\n");
        text.Append("mov.u32 %r0, %ctaid.x;\nmov.u32 %r1, %ntid.x;\nmov.u32 %r2, %tid.x;\nmad.lo.s32 %r0, %r0, %r1, %r2;\n");
        text.Append("ld.param.u32 %r1, [count];\nsetp.ge.u32 %p0, %r0, %r1;\n@%p0 bra DONE;\n");
        for (var i = 0; i < inputs.Length; i++)
        {
            var name = "%" + (char)('a' + i);
            Access(text, "ld", inputs[i].GetType().GetElementType()!, name, i);
        }

        text.Append(".reg .").Append(RegisterType(typeof(TD))).Append(" %d;\nmov.").Append(MoveType(typeof(TD))).Append(" %d, 0;\n");
        if (divergent)
            text.Append("rem.u32 %r3, %r0, 3;\nsetp.eq.u32 %p1, %r3, 1;\n@%p1 bra SKIP;\n");
        text.Append(body).Append("\nSKIP:\n");
        Access(text, "st", typeof(TD), "%d", inputs.Length);
        text.Append("DONE:\nret;\n}\n");
        object[] arguments = [.. inputs, output, output.Length];
        PtxRunner.Run(text.ToString(), ((output.Length + blockSize - 1) / blockSize, blockSize), arguments);
    }

    private static void Access(StringBuilder text, string name, Type type, string register, int parameter)
    {
        var size = System.Runtime.InteropServices.Marshal.SizeOf(type);
        if (name == "ld")
            text.Append(".reg .").Append(RegisterType(type)).Append(' ').Append(register).Append(";\n");
        text.Append("ld.param.u64 %rd0, [p").Append(parameter).Append("];\nmad.wide.u32 %rd0, %r0, ").Append(size).Append(", %rd0;\n");
        var data = "." + (RegisterType(type) is var t && size == 1 ? "b8" : t);
        text.Append(name == "ld" ? $"ld.global{data} {register}, [%rd0];\n" : $"st.global{data} [%rd0], {register};\n");
    }

    private static string RegisterType(Type type) => type switch
    {
        _ when type == typeof(float) => "f32",
        _ when type == typeof(double) => "f64",
        _ when type == typeof(byte) || type == typeof(sbyte) => "b16",
        _ => $"b{8 * System.Runtime.InteropServices.Marshal.SizeOf(type)}",
    };

    private static string MoveType(Type type) => RegisterType(type);
}
