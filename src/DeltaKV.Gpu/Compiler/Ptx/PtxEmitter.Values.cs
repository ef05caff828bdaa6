using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <content>One value at a time.</content>
internal sealed partial class PtxEmitter
{
    private void EmitValue(Value value)
    {
        switch (value.Op)
        {
            case Op.Param: EmitParameter(value); break;
            case Op.Special: Line($"mov.u32 {registers.Of(value)}, {((SpecialRegister)value.Imm).PtxName()};"); break;
            case Op.SharedAddress: Line($"mov.u32 {registers.Of(value)}, {((MemoryVariable)value.Data!).Name};"); break;
            case Op.LocalAddress: Line($"mov.u64 {registers.Of(value)}, {((MemoryVariable)value.Data!).Name};"); break;
            case Op.Compare: EmitCompare(value); break;
            case Op.Select: Three($"selp.{MoveType(value.Type)}", value, 1, 2, 0); break;
            case Op.FloatToInt or Op.FloatToUInt: EmitFloatToInt(value); break;
            case Op.Load: EmitLoad(value); break;
            case Op.Store: EmitStore(value); break;
            case Op.Atomic: EmitAtomic(value); break;
            case Op.Template: EmitTemplate(value); break;
            case Op.Shuffle: EmitShuffle(value); break;
            case Op.Barrier: Line("bar.sync 0;"); break;
            case Op.WarpBarrier: Line("bar.warp.sync 0xffffffff;"); break;
            case Op.BarrierReduce:
                Line($"bar.red.{(string)value.Data!}.{(value.Type == IrType.Pred ? "pred" : "u32")} {registers.Of(value)}, 0, {PredicateOf(value.Args[0])};");
                break;
            case Op.Assert: Line($"@!{PredicateOf(value.Args[0])} trap;"); break;
            case Op.RotateLeft: Line($"shf.l.wrap.b32 {registers.Of(value)}, {Arg(value, 0)}, {Arg(value, 0)}, {Arg(value, 1)};"); break;
            case Op.Fma or Op.Mad or Op.MadWideS or Op.MadWideU: Three(Name(value), value, 0, 1, 2); break;
            default:
                if (value.Args.Length == 2)
                    Line($"{Name(value)} {registers.Of(value)}, {Arg(value, 0)}, {Arg(value, 1)};");
                else
                    EmitUnary(value);
                break;
        }
    }

    private string Arg(Value value, int index) => Operand(value.Args[index]);

    private void Three(string name, Value value, int a, int b, int c) =>
        Line($"{name} {registers.Of(value)}, {Arg(value, a)}, {Arg(value, b)}, {Arg(value, c)};");

    private void EmitUnary(Value value)
    {
        var (target, source) = (registers.Of(value), Arg(value, 0));
        Line(value.Op switch
        {
            Op.ZeroExtend8 => $"and.b32 {target}, {source}, 255;",
            Op.ZeroExtend16 => $"and.b32 {target}, {source}, 65535;",
            _ => $"{Name(value)} {target}, {source};",
        });
    }

    private static string Name(Value value)
    {
        var type = value.Type;
        var from = value.Args[0].Type;
        var untyped = from == IrType.Pred ? "pred" : type == IrType.I64 || from == IrType.I64 ? "b64" : "b32";
        return value.Op switch
        {
            Op.Add or Op.Sub => $"{(value.Op == Op.Add ? "add" : "sub")}{(value.IsFloat ? ".rn" : "")}.{Signed(type)}",
            Op.Mul => value.IsFloat ? $"mul.rn.{Signed(type)}" : $"mul.lo.{Signed(type)}",
            Op.MulHighS => $"mul.hi.{Signed(type)}",
            Op.MulHighU => $"mul.hi.{Unsigned(type)}",
            Op.MulWideS => "mul.wide.s32",
            Op.MulWideU => "mul.wide.u32",
            Op.Div => value.IsFloat ? $"div.rn.{Signed(type)}" : $"div.{Signed(type)}",
            Op.DivU => $"div.{Unsigned(type)}",
            Op.Rem => $"rem.{Signed(type)}",
            Op.RemU => $"rem.{Unsigned(type)}",
            Op.Min => $"min{(value.IsFloat ? ".NaN" : "")}.{Signed(type)}",
            Op.Max => $"max{(value.IsFloat ? ".NaN" : "")}.{Signed(type)}",
            Op.MinU => $"min.{Unsigned(type)}",
            Op.MaxU => $"max.{Unsigned(type)}",
            Op.And => $"and.{untyped}",
            Op.Or => $"or.{untyped}",
            Op.Xor => $"xor.{untyped}",
            Op.Not => $"not.{untyped}",
            Op.Shl => $"shl.{(type == IrType.I64 ? "b64" : "b32")}",
            Op.Shr => $"shr.{Signed(type)}",
            Op.ShrU => $"shr.{Unsigned(type)}",
            Op.Fma => $"fma.rn.{Signed(type)}",
            Op.Mad => $"mad.lo.{Signed(type)}",
            Op.MadWideS => "mad.wide.s32",
            Op.MadWideU => "mad.wide.u32",
            Op.Neg => $"neg.{Signed(type)}",
            Op.Abs => $"abs.{Signed(type)}",
            Op.Sqrt => $"sqrt.rn.{Signed(type)}",
            Op.Floor => $"cvt.rmi.{Signed(type)}.{Signed(type)}",
            Op.Ceiling => $"cvt.rpi.{Signed(type)}.{Signed(type)}",
            Op.Truncate => $"cvt.rzi.{Signed(type)}.{Signed(type)}",
            Op.RoundEven => $"cvt.rni.{Signed(type)}.{Signed(type)}",
            Op.PopCount => $"popc.{untyped}",
            Op.LeadingZeros => $"clz.{untyped}",
            Op.ReverseBits => $"brev.{untyped}",
            Op.SignExtend8 => "cvt.s32.s8",
            Op.SignExtend16 => "cvt.s32.s16",
            Op.SignExtend => "cvt.s64.s32",
            Op.ZeroExtend => "cvt.u64.u32",
            Op.Narrow => "cvt.u32.u64",
            Op.IntToFloat => $"cvt.rn.{Signed(type)}.{Signed(from)}",
            Op.UIntToFloat => $"cvt.rn.{Signed(type)}.{Unsigned(from)}",
            Op.FloatToFloat => type == IrType.F64 ? "cvt.f64.f32" : "cvt.rn.f32.f64",
            Op.BitCast => type is IrType.I64 or IrType.F64 ? "mov.b64" : "mov.b32",
            _ => throw new InvalidOperationException($"{value.Op} has no PTX name."),
        };
    }

    private static string Signed(IrType type) => type switch
    {
        IrType.F32 => "f32",
        IrType.F64 => "f64",
        IrType.I64 => "s64",
        _ => "s32",
    };

    private static string Unsigned(IrType type) => type == IrType.I64 ? "u64" : "u32";

    private void EmitParameter(Value value)
    {
        var kind = (ScalarKind)value.Scale;
        var target = registers.Of(value);
        var offset = value.Imm == 0 ? "" : $"+{value.Imm}";
        Line($"ld.param.{TypeName(kind)} {target}, [{(string)value.Data!}{offset}];");
        if (kind == ScalarKind.Pointer)
            Line($"cvta.to.global.u64 {target}, {target};");
    }

    private void EmitCompare(Value value)
    {
        var type = value.Args[0].Type;
        var isFloat = value.Args[0].IsFloat;
        var isUnsigned = value.Condition >= Condition.LessU;
        var name = value.Condition switch
        {
            Condition.Equal => "eq",
            Condition.NotEqual => isFloat ? "neu" : "ne",
            Condition.Less => "lt",
            Condition.LessEqual => "le",
            Condition.Greater => "gt",
            Condition.GreaterEqual => "ge",
            Condition.LessU => isFloat ? "ltu" : "lt",
            Condition.LessEqualU => isFloat ? "leu" : "le",
            Condition.GreaterU => isFloat ? "gtu" : "gt",
            _ => isFloat ? "geu" : "ge",
        };
        Line($"setp.{name}.{(isUnsigned && !isFloat ? Unsigned(type) : Signed(type))} {registers.Of(value)}, {Arg(value, 0)}, {Arg(value, 1)};");
    }

    /// <summary>PTX saturates as .NET does, but gives the smallest integer for NaN where a double or 64 bits are involved.</summary>
    private void EmitFloatToInt(Value value)
    {
        var from = value.Args[0].Type;
        var source = Arg(value, 0);
        var to = value.Op == Op.FloatToInt ? Signed(value.Type) : Unsigned(value.Type);
        if (from == IrType.F32 && value.Type == IrType.I32)
        {
            Line($"cvt.rzi.{to}.f32 {registers.Of(value)}, {source};");
            return;
        }

        var (number, converted) = (registers.New(IrType.Pred), registers.New(value.Type));
        Line($"setp.num.{Signed(from)} {number}, {source}, {source};");
        Line($"cvt.rzi.{to}.{Signed(from)} {converted}, {source};");
        Line($"selp.{MoveType(value.Type)} {registers.Of(value)}, {converted}, 0, {number};");
    }

    private string Address(Value address, long offset) => $"[{AddressText(address, offset)}]";

    private void EmitLoad(Value value)
    {
        var access = (MemoryAccess)value.Data!;
        var kinds = access.Kinds;
        var vector = kinds.Length > 1 ? $".v{kinds.Length}" : "";
        var name = $"ld{(access.IsVolatile ? ".volatile" : "")}.{Space(value.Space)}{vector}.{TypeName(kinds[0])}";
        Line($"{name} {(kinds.Length > 1 ? $"{{{string.Join(", ", ResultNames(value))}}}" : registers.Of(value))}, {Address(value.Args[0], value.Imm)};");
    }

    private string[] ResultNames(Value several)
    {
        var types = ResultTypes(several);
        results.TryGetValue(several, out var parts);
        var names = new string[types.Length];
        for (var i = 0; i < names.Length; i++)
            names[i] = parts?[i] is { } part ? registers.Of(part) : registers.New(types[i]);
        return names;
    }

    private void EmitStore(Value value)
    {
        var access = (MemoryAccess)value.Data!;
        var kinds = access.Kinds;
        var name = $"st{(access.IsVolatile ? ".volatile" : "")}.{Space(value.Space)}";
        if (kinds.Length == 1)
        {
            Line($"{name}.{TypeName(kinds[0])} {Address(value.Args[0], value.Imm)}, {Arg(value, 1)};");
            return;
        }

        var parts = new string[kinds.Length];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = InRegister(value.Args[i + 1]);
        Line($"{name}.v{kinds.Length}.{TypeName(kinds[0])} {Address(value.Args[0], value.Imm)}, {{{string.Join(", ", parts)}}};");
    }

    private void EmitAtomic(Value value)
    {
        var operation = (AtomicOperation)value.Data!;
        var operands = Arg(value, 1) + (value.Args.Length > 2 ? $", {Arg(value, 2)}" : "");
        Line($"atom.{Space(value.Space)}.{operation.Name}.{operation.PtxType} {registers.Of(value)}, {Address(value.Args[0], value.Imm)}, {operands};");
    }

    private void EmitShuffle(Value value) =>
        Line($"shfl.sync.{(string)value.Data!}.b32 {registers.Of(value)}, {InRegister(value.Args[0])}, {Arg(value, 1)}, {Arg(value, 2)}, 0xffffffff;");

    private string PredicateOf(Value value)
    {
        if (!value.IsConst)
            return registers.Of(value);
        var register = registers.New(IrType.Pred);
        Line($"setp.eq.s32 {register}, {(value.Imm != 0 ? 0 : 1)}, 0;");
        return register;
    }
}
