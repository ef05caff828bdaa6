using System.Globalization;
using System.Text;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Inline PTX: <see cref="PtxInstructionAttribute"/> and <see cref="CudaAsm"/>.</summary>
internal static class PtxIntrinsics
{
    /// <summary>A call of a method that stands for a template.</summary>
    public static StackItem Expand(Translator translator, CallTarget call, PtxInstructionAttribute attribute, StackItem[] arguments) =>
        Expand(translator, call, attribute.Template, attribute.Pure, arguments);

    public static StackItem Expand(Translator translator, CallTarget call, string template, StackItem[] arguments) =>
        Expand(translator, call, template, isPure: true, arguments);

    /// <summary><c>CudaAsm.Emit</c> and <c>EmitRef</c>: <c>%0</c> is the first argument, which may be an output.</summary>
    public static StackItem? EmitAssembly(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Name is not ("Emit" or "EmitRef"))
            return StackItem.NotMine;
        if (arguments[0].Constant is not string text)
            throw translator.Refuse("CudaAsm needs its PTX text as a string literal.");
        var names = new string[arguments.Length - 1];
        var inputs = new List<Value>();
        var kinds = new List<ScalarKind>();
        var outputs = new List<(Value Address, TypeLayout Layout)>();
        for (var i = 0; i < names.Length; i++)
        {
            var argument = arguments[i + 1];
            if (!call.Parameters[i + 1].IsByRef)
            {
                names[i] = $"{{{inputs.Count}}}";
                inputs.Add(argument.Scalar);
                kinds.Add(TypeLayout.Of(call.Parameters[i + 1]).Leaves[0].Kind);
                continue;
            }

            var wrapper = call.Parameters[i + 1].GetElementType()!;
            var isWrapped = wrapper.IsGenericType && wrapper.Namespace == typeof(CudaAsm).Namespace;
            var name = isWrapped ? wrapper.GetGenericTypeDefinition().Name : "Output`1";
            var layout = TypeLayout.Of(wrapper);
            if (layout.Leaves.Length != 1)
                throw translator.Refuse("CudaAsm passes numbers only.");
            if (name == "Input`1")
            {
                names[i] = $"{{{inputs.Count}}}";
                inputs.Add(translator.Load(argument.Scalar, layout).Leaves()[0]);
                kinds.Add(layout.Leaves[0].Kind);
                continue;
            }

            names[i] = $"{{r{outputs.Count}{(name == "Ref`1" ? $"={inputs.Count}" : "")}}}";
            if (name == "Ref`1")
            {
                inputs.Add(translator.Load(argument.Scalar, layout).Leaves()[0]);
                kinds.Add(layout.Leaves[0].Kind);
            }

            outputs.Add((argument.Scalar, layout));
        }

        var results = outputs.ConvertAll(static output => output.Layout.Leaves[0].Kind).ToArray();
        var template = new PtxTemplate(Rewrite(translator, text, names), false, results, [.. kinds]);
        var values = Append(translator.Builder, template, [.. inputs]);
        for (var i = 0; i < values.Length; i++)
            translator.Store(outputs[i].Address, outputs[i].Layout, new StackItem(outputs[i].Layout, [values[i]]));
        return StackItem.Nothing;
    }

    private static StackItem Expand(Translator translator, CallTarget call, string text, bool isPure, StackItem[] arguments)
    {
        var inputs = new List<Value>();
        var kinds = new List<ScalarKind>();
        for (var i = 0; i < arguments.Length; i++)
        {
            var type = call.HasThis ? (i == 0 ? call.Method.DeclaringType! : call.Parameters[i - 1]) : call.Parameters[i];
            if (call.HasThis && i == 0)
                type = type.MakeByRefType();
            var layout = TypeLayout.Of(type);
            var leaves = translator.LeavesOf(arguments[i], layout);
            for (var j = 0; j < leaves.Length; j++)
            {
                if (leaves[j].Op == Op.Place)
                    translator.RequireMemory(leaves[j], $"{call.Method.DeclaringType!.Name}.{call.Name}");
                inputs.Add(leaves[j]);
                kinds.Add(layout.Leaves[j].Kind);
            }
        }

        var hasResult = call.Result != typeof(void);
        var result = hasResult ? TypeLayout.Of(call.Result) : null;
        var results = result is null ? [] : Array.ConvertAll(result.Leaves, static leaf => leaf.Kind);
        var values = Append(translator.Builder, new PtxTemplate(text, isPure, results, [.. kinds]), [.. inputs]);
        return result is null ? StackItem.Nothing : new StackItem(result, values);
    }

    private static Value[] Append(IrBuilder builder, PtxTemplate template, Value[] inputs)
    {
        for (var i = 0; i < inputs.Length; i++)
        {
            if (template.Arguments[i] == ScalarKind.Bool)
                inputs[i] = builder.ToTest(inputs[i]);
        }

        var types = Array.ConvertAll(template.Results, static kind => kind == ScalarKind.Bool ? IrType.Pred : kind.Register());
        if (types.Length == 1)
        {
            var only = builder.Append(Op.Template, types[0], inputs, data: template);
            return [types[0] == IrType.Pred ? builder.ToInt(only) : only];
        }

        var several = builder.Append(Op.Template, IrType.None, inputs, data: template);
        var values = builder.Extract(several, types);
        for (var i = 0; i < values.Length; i++)
            values[i] = types[i] == IrType.Pred ? builder.ToInt(values[i]) : values[i];
        return values;
    }

    private static string Rewrite(Translator translator, string text, string[] names)
    {
        var result = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '{' or '}')
            {
                result.Append(c).Append(c);
                continue;
            }

            if (c != '%' || i + 1 == text.Length)
            {
                result.Append(c);
                continue;
            }

            if (text[i + 1] == '%')
            {
                result.Append('%');
                i++;
                continue;
            }

            var end = i + 1;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
                end++;
            if (end == i + 1)
            {
                result.Append(c);
                continue;
            }

            var index = int.Parse(text.AsSpan(i + 1, end - i - 1), CultureInfo.InvariantCulture);
            if (index >= names.Length)
                throw translator.Refuse($"CudaAsm: the text names %{index}, but there are {names.Length} arguments.");
            result.Append(names[index]);
            i = end - 1;
        }

        return result.Append(text.AsSpan().TrimEnd().EndsWith(";") || text.AsSpan().TrimEnd().EndsWith("}") ? "" : ";").ToString();
    }
}
