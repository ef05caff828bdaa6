using System.Globalization;
using System.Text;
using DeltaKV.Gpu.Compiler.Frontend;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <summary>Writes a function as PTX text.</summary>
internal sealed partial class PtxEmitter
{
    private readonly StringBuilder text = new(4096);
    private readonly Dictionary<string, int> files = [];
    private readonly Dictionary<Block, string> labels = [];
    private readonly Dictionary<Value, Value?[]> results = [];
    private readonly Function function;
    private readonly CompileOptions options;
    private readonly Registers registers;
    private readonly HashSet<Value> namedInRegisters = [];
    private (int File, int Line) current;
    private bool usesFp8;

    private PtxEmitter(Function function, CompileOptions options)
    {
        this.function = function;
        this.options = options;
        registers = new Registers(function);
        EdgeCopies.SplitEdges(function, registers);
    }

    public static string Emit(Function function, CompileOptions options, string entry, string title, IReadOnlyList<KernelParameter> parameters)
    {
        var emitter = new PtxEmitter(function, options);
        emitter.EmitBody();
        return emitter.Assemble(entry, title, parameters);
    }

    private string Assemble(string entry, string title, IReadOnlyList<KernelParameter> parameters)
    {
        var module = new StringBuilder(text.Length + 1024);
        module.Append(CultureInfo.InvariantCulture, $"// {title}, by DeltaKV.Gpu\n.version {PtxTarget.Version(options.Target, usesFp8)}\n.target {options.Target}\n.address_size 64\n\n");
        foreach (var (file, number) in files)
            module.Append(CultureInfo.InvariantCulture, $".file {number} \"{file.Replace("\\", "/", StringComparison.Ordinal)}\"\n");
        if (function.UsesDynamicShared)
            module.Append(".extern .shared .align 16 .b8 dynamic_shared[];\n");
        module.Append(CultureInfo.InvariantCulture, $".visible .entry {entry}(");
        for (var i = 0; i < parameters.Count; i++)
            module.Append(i == 0 ? "\n    " : ",\n    ").Append(Declaration(i, parameters[i]));
        module.Append(parameters.Count == 0 ? ")\n" : "\n)\n");
        module.Append("{\n");
        registers.Declare(module);
        foreach (var memory in function.Memory)
            module.Append(CultureInfo.InvariantCulture, $"    .{Space(memory.Space)} .align {memory.Alignment} .b8 {memory.Name}[{memory.Bytes}];\n");
        return module.Append('\n').Append(text).Append("}\n").ToString();
    }

    private static string Declaration(int index, KernelParameter parameter)
    {
        var layout = TypeLayout.Of(parameter.Type);
        return layout.IsScalar
            ? $".param .{TypeName(layout.Leaves[0].Kind)} p{index}"
            : $".param .align {layout.Alignment} .b8 p{index}[{layout.Size}]";
    }

    private void EmitBody()
    {
        var layout = Layout.Of(function);
        layout.RemoveAll(block => block != function.Entry && IsEmpty(block));
        foreach (var block in layout)
        {
            foreach (var phi in block.Phis)
                FindNamedMemory(phi);
            foreach (var value in block.Values)
            {
                FindNamedMemory(value);
                if (value.Op != Op.Extract)
                    continue;
                var several = value.Args[0];
                if (!results.TryGetValue(several, out var parts))
                    results[several] = parts = new Value?[ResultTypes(several).Length];
                parts[value.Imm] = value;
            }
        }

        for (var i = 0; i < layout.Count; i++)
            NameTargets(layout[i], i + 1 < layout.Count ? layout[i + 1] : null);
        for (var i = 0; i < layout.Count; i++)
            EmitBlock(layout[i], i + 1 < layout.Count ? layout[i + 1] : null);
    }

    /// <summary>Whether nothing is written for a block; those that jump to it jump on.</summary>
    private bool IsEmpty(Block block) =>
        block.Values.TrueForAll(static value => value.Op == Op.Extract) && block.Successors is [var next] && next != block && EdgeCopies.Of(block, registers).Count == 0;

    private Block Target(Block block)
    {
        while (block != function.Entry && IsEmpty(block))
            block = block.Successors[0];
        return block;
    }

    /// <summary>A block needs a label unless the block before it alone leads here, by falling through.</summary>
    private void NameTargets(Block block, Block? next)
    {
        foreach (var successor in block.Successors)
        {
            var target = Target(successor);
            if (target != next)
                labels[target] = $"$L{target.Id}";
        }
    }

    private void EmitBlock(Block block, Block? next)
    {
        if (labels.TryGetValue(block, out var label))
            text.Append(label).Append(":\n");
        foreach (var value in block.Values)
        {
            if (value.Op == Op.Extract || (value.Op == Op.SharedAddress && !namedInRegisters.Contains(value)))
                continue;
            EmitLocation(value.Location);
            EmitValue(value);
        }

        foreach (var (target, source, register, type) in EdgeCopies.Of(block, registers))
            Line($"mov.{MoveType(type)} {target}, {register ?? Operand(source!)};");
        EmitEnd(block, next);
    }

    private void EmitEnd(Block block, Block? next)
    {
        if (block.Successors.Count == 0)
        {
            Line("ret;");
            return;
        }

        var whenTrue = Target(block.Successors[0]);
        var whenFalse = Target(block.Successors[^1]);
        if (whenTrue == whenFalse)
        {
            if (whenTrue != next)
                Line($"bra.uni {labels[whenTrue]};");
            return;
        }

        EmitLocation(block.TestLocation);
        var test = Operand(block.Test!);
        if (whenTrue == next)
        {
            Line($"@!{test} bra {labels[whenFalse]};");
            return;
        }

        Line($"@{test} bra {labels[whenTrue]};");
        if (whenFalse != next)
            Line($"bra.uni {labels[whenFalse]};");
    }

    private void EmitLocation(Location location)
    {
        if (!options.LineInfo)
            return;
        var (file, line) = SourceOf.Find(location);
        if (file is null)
            return;
        if (!files.TryGetValue(file, out var number))
            files[file] = number = files.Count + 1;
        if (current == (number, line))
            return;
        current = (number, line);
        text.Append(CultureInfo.InvariantCulture, $"    .loc {number} {line} 0\n");
    }

    private void Line(string instruction) => text.Append("    ").Append(instruction).Append('\n');

    private string Operand(Value value) => value.IsConst ? Immediate(value) : registers.Of(value);

    /// <summary>Shared arrays are written by name in addresses; other uses need the address in a register.</summary>
    private void FindNamedMemory(Value user)
    {
        for (var i = 0; i < user.Args.Length; i++)
        {
            var isAddress = user.Op switch
            {
                Op.Load or Op.Store or Op.Atomic => i == 0 && user.Imm >= 0,
                Op.Template => ((PtxTemplate)user.Data!) is var template && template.TakesOffset(i) && template.Offsets[i] >= 0,
                _ => false,
            };
            if (user.Args[i].Op == Op.SharedAddress && !isAddress)
                namedInRegisters.Add(user.Args[i]);
        }
    }

    /// <summary>An address and an offset, as they stand between brackets. PTX takes a name plus a number, but minus only after a register.</summary>
    private string AddressText(Value address, long offset)
    {
        var start = address.Op == Op.SharedAddress && offset >= 0 ? ((MemoryVariable)address.Data!).Name : InRegister(address);
        return offset == 0 ? start : $"{start}+{offset.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>The operand in a register, where PTX takes no immediate.</summary>
    private string InRegister(Value value)
    {
        if (!value.IsConst)
            return registers.Of(value);
        var register = registers.New(value.Type);
        Line($"mov.{MoveType(value.Type)} {register}, {Operand(value)};");
        return register;
    }

    private static string Immediate(Value value) => value.Type switch
    {
        IrType.F32 => $"0f{(uint)value.Imm:X8}",
        IrType.F64 => $"0d{value.Imm:X16}",
        _ => value.Imm.ToString(CultureInfo.InvariantCulture),
    };

    private static string Space(AddressSpace space) => space switch
    {
        AddressSpace.Shared => "shared",
        AddressSpace.Local => "local",
        _ => "global",
    };

    private static string MoveType(IrType type) => type switch
    {
        IrType.Pred => "pred",
        IrType.I32 => "b32",
        IrType.F32 => "f32",
        IrType.F64 => "f64",
        _ => "b64",
    };

    private static string TypeName(ScalarKind kind) => kind switch
    {
        ScalarKind.I8 => "s8",
        ScalarKind.Bool or ScalarKind.U8 => "u8",
        ScalarKind.I16 => "s16",
        ScalarKind.U16 => "u16",
        ScalarKind.I32 => "s32",
        ScalarKind.U32 => "u32",
        ScalarKind.I64 => "s64",
        ScalarKind.F32 => "f32",
        ScalarKind.F64 => "f64",
        _ => "u64",
    };

    private static IrType[] ResultTypes(Value several) => several.Data switch
    {
        MemoryAccess access => Array.ConvertAll(access.Kinds, static kind => kind.Register()),
        PtxTemplate template => Array.ConvertAll(template.Results, static kind => kind == ScalarKind.Bool ? IrType.Pred : kind.Register()),
        _ => [],
    };
}
