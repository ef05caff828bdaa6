using DeltaKV.Gpu.Compiler.Il;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>Appends values to a block, folding what is known already.</summary>
internal sealed class IrBuilder(Function function)
{
    public Function Function { get; } = function;

    /// <summary>Where values go.</summary>
    public Block Block { get; set; } = function.Entry;

    /// <summary>The list they are appended to; the block's own unless a pass rebuilds it.</summary>
    public List<Value>? Target { get; set; }

    public Location Location { get; set; }

    public Value Int(int number) => Function.Int(number);

    public Value Const(IrType type, long bits) => Function.Const(type, bits);

    public Value Binary(Op op, Value a, Value b) => Create(op, a.Type, [a, b]);

    public Value Unary(Op op, Value a) => Create(op, a.Type, [a]);

    public Value Convert(Op op, IrType to, Value a) => Create(op, to, [a]);

    public Value Compare(Condition condition, Value a, Value b) => Create(Op.Compare, IrType.Pred, [a, b], (long)condition);

    public Value Select(Value test, Value whenTrue, Value whenFalse) => Create(Op.Select, whenTrue.Type, [test, whenTrue, whenFalse]);

    /// <summary>A truth as IL holds it: 1 or 0.</summary>
    public Value ToInt(Value test) => Select(test, Int(1), Int(0));

    /// <summary>Whether an IL value is not zero.</summary>
    public Value ToTest(Value value) => 
        value.Type == IrType.Pred ? value : Compare(Condition.NotEqual, value, Const(value.Type, 0));

    public Value BitCast(Value value, IrType to) => value.Type == to ? value : Create(Op.BitCast, to, [value]);

    /// <summary>Makes a value a legal content of a small variable: what a store and a load of that kind would give.</summary>
    public Value Normalize(Value value, ScalarKind kind) => kind switch
    {
        ScalarKind.I8 => Convert(Op.SignExtend8, IrType.I32, value),
        ScalarKind.Bool or ScalarKind.U8 => Convert(Op.ZeroExtend8, IrType.I32, value),
        ScalarKind.I16 => Convert(Op.SignExtend16, IrType.I32, value),
        ScalarKind.U16 => Convert(Op.ZeroExtend16, IrType.I32, value),
        _ => value,
    };

    public Value Create(Op op, IrType type, Value[] args, long imm = 0, int scale = 0, object? data = null)
    {
        for (var i = 0; i < args.Length; i++)
            args[i] = args[i].Resolve();
        return Folder.Fold(this, op, type, args, imm) ?? Append(op, type, args, imm, scale, data);
    }

    public Value Append(Op op, IrType type, Value[] args, long imm = 0, int scale = 0, object? data = null)
    {
        var value = Function.NewValue(op, type, args);
        value.Imm = imm;
        value.Scale = scale;
        value.Data = data;
        value.Location = Location;
        value.Block = Block;
        (Target ?? Block.Values).Add(value);
        return value;
    }

    /// <summary>The results of a value that has several, each a value of its own.</summary>
    public Value[] Extract(Value several, ReadOnlySpan<IrType> types)
    {
        var results = new Value[types.Length];
        for (var i = 0; i < results.Length; i++)
            results[i] = Append(Op.Extract, types[i], [several], i);
        return results;
    }
}
