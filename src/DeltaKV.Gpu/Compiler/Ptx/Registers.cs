using System.Globalization;
using System.Text;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <summary>Names a virtual register for every value; a phi shares its register with its operands where their lives allow it.</summary>
internal sealed class Registers
{
    private const int LargestClass = 64;
    private static readonly string[] Prefixes = ["", "%p", "%r", "%rd", "%f", "%fd", "%rd"];
    private readonly Dictionary<Value, List<Value>> classes = [];
    private readonly Dictionary<Value, string> names = [];
    private readonly int[] counts = new int[Prefixes.Length];
    private int shortCount;

    public Registers(Function function)
    {
        var liveness = new Liveness(function);
        for (var i = function.Blocks.Count - 1; i >= 0; i--)
        {
            foreach (var phi in function.Blocks[i].Phis)
            {
                foreach (var argument in phi.Args)
                    TryJoin(liveness, phi, argument);
            }
        }
    }

    public bool AreSame(Value left, Value right) =>
        left == right || (classes.TryGetValue(left, out var members) && classes.TryGetValue(right, out var others) && members == others);

    public string Of(Value value)
    {
        if (names.TryGetValue(value, out var name))
            return name;
        name = New(value.Type);
        if (classes.TryGetValue(value, out var members))
        {
            foreach (var member in members)
                names[member] = name;
        }

        return names[value] = name;
    }

    public string New(IrType type) => Prefixes[(int)type] + (++counts[(int)type]).ToString(CultureInfo.InvariantCulture);

    /// <summary>A 16-bit register.</summary>
    public string NewShort() => $"%rs{++shortCount}";

    public void Declare(StringBuilder text)
    {
        Declare("pred", "%p", counts[(int)IrType.Pred]);
        Declare("b16", "%rs", shortCount);
        Declare("b32", "%r", counts[(int)IrType.I32]);
        Declare("b64", "%rd", counts[(int)IrType.I64]);
        Declare("f32", "%f", counts[(int)IrType.F32]);
        Declare("f64", "%fd", counts[(int)IrType.F64]);

        void Declare(string type, string prefix, int count)
        {
            if (count > 0)
                text.Append(CultureInfo.InvariantCulture, $"    .reg .{type} {prefix}<{count + 1}>;\n");
        }
    }

    private void TryJoin(Liveness liveness, Value phi, Value argument)
    {
        if (argument.Block is null || argument.Type != phi.Type || AreSame(phi, argument))
            return;
        var left = classes.GetValueOrDefault(phi) ?? [phi];
        var right = classes.GetValueOrDefault(argument) ?? [argument];
        if (left.Count * right.Count > LargestClass * LargestClass)
            return;
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                if (liveness.IsLiveAfter(a, b) || liveness.IsLiveAfter(b, a))
                    return;
            }
        }

        left.AddRange(right);
        foreach (var member in left)
            classes[member] = left;
    }
}
