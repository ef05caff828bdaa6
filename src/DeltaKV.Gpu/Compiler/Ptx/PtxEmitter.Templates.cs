using System.Globalization;
using System.Text;
using DeltaKV.Gpu.Compiler.Frontend;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <content>Inline PTX: placeholders become registers.</content>
internal sealed partial class PtxEmitter
{
    private void EmitTemplate(Value value)
    {
        var template = (PtxTemplate)value.Data!;
        usesFp8 |= template.Text.Contains("e4m3", StringComparison.Ordinal) || template.Text.Contains("e5m2", StringComparison.Ordinal);
        var targets = value.Type == IrType.None ? ResultNames(value) : [registers.Of(value)];
        var outputs = new string[targets.Length];
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = IsShort(template.Results[i]) ? registers.NewShort() : targets[i];
        var inputs = new string?[value.Args.Length];
        var result = new StringBuilder();
        var source = template.Text.AsSpan();
        for (var i = 0; i < source.Length; i++)
        {
            var c = source[i];
            if (c is '{' or '}' && i + 1 < source.Length && source[i + 1] == c)
            {
                result.Append(c);
                i++;
                continue;
            }

            if (c != '{')
            {
                result.Append(c);
                continue;
            }

            var end = source[i..].IndexOf('}');
            if (end < 0)
                throw Malformed(value, template);
            result.Append(Fill(source.Slice(i + 1, end - 1)));
            i += end;
        }

        foreach (var line in result.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            Line(line);
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] != targets[i])
                Line($"cvt.{(template.Results[i] == ScalarKind.I16 ? "s32.s16" : "u32.u16")} {targets[i]}, {outputs[i]};");
        }

        string Fill(ReadOnlySpan<char> name)
        {
            if (name.StartsWith("r") && int.TryParse(name[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var output) && output < outputs.Length)
                return outputs[output];
            if (name.StartsWith("r") && name.IndexOf('=') is > 0 and var equals)
                return InOut(int.Parse(name[1..equals], CultureInfo.InvariantCulture), int.Parse(name[(equals + 1)..], CultureInfo.InvariantCulture));
            var colon = name.IndexOf(':');
            var number = colon < 0 ? name : name[..colon];
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var input) || input >= inputs.Length)
                throw Malformed(value, template);
            return Input(input, colon < 0 ? "" : name[(colon + 1)..].ToString());
        }

        string InOut(int output, int input)
        {
            if (inputs[input] is null)
                Line($"mov.{(IsShort(template.Results[output]) ? "b16" : MoveType(value.Args[input].Type))} {outputs[output]}, {Input(input, "")};");
            return outputs[output];
        }

        string Input(int index, string kind)
        {
            var argument = value.Args[index];
            if (kind == "imm")
                return argument.IsConst ? Immediate(argument) : throw SourceOf.Failure($"Argument {index} of '{template.Text}' must be a compile-time constant.", value.Location);
            if (kind is "shared" or "global" && template.Spaces[index] != (kind == "shared" ? AddressSpace.Shared : AddressSpace.Global))
                throw SourceOf.Failure($"Argument {index} of '{template.Text}' must be {kind} memory, but it is {template.Spaces[index]} memory.", value.Location);
            if (inputs[index] is { } known)
                return known;
            if (IsShort(template.Arguments[index]))
            {
                var small = registers.NewShort();
                Line($"cvt.u16.u32 {small}, {InRegister(argument)};");
                return inputs[index] = small;
            }

            if (argument.Type == IrType.Pred)
                return inputs[index] = PredicateOf(argument);
            return inputs[index] = template.TakesOffset(index) ? AddressText(argument, template.Offsets[index]) : InRegister(argument);
        }
    }

    private static KernelCompileException Malformed(Value value, PtxTemplate template) => SourceOf.Failure(
        $"The PTX template '{template.Text}' names something that is neither {{r0}}..{{r{template.Results.Length - 1}}} nor {{0}}..{{{template.Arguments.Length - 1}}}; literal braces are doubled.",
        value.Location);

    private static bool IsShort(ScalarKind kind) => kind is ScalarKind.I16 or ScalarKind.U16;
}
