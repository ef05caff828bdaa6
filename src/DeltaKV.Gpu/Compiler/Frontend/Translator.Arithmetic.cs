using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;
using DeltaKV.Gpu.Compiler.Library;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <content>Numbers: operators, comparisons, conversions.</content>
internal sealed partial class Translator
{
    /// <summary>Brings two operands to one type as IL's implicit widening does.</summary>
    private (Value Left, Value Right) PopPair()
    {
        var right = Pop().Scalar;
        var left = Pop().Scalar;
        return (left.Type, right.Type) switch
        {
            (IrType.I64, IrType.I32) => (left, builder.Convert(Op.SignExtend, IrType.I64, right)),
            (IrType.I32, IrType.I64) => (builder.Convert(Op.SignExtend, IrType.I64, left), right),
            (IrType.F64, IrType.F32) => (left, builder.Convert(Op.FloatToFloat, IrType.F64, right)),
            (IrType.F32, IrType.F64) => (builder.Convert(Op.FloatToFloat, IrType.F64, left), right),
            _ => (left, right),
        };
    }

    private bool Arithmetic(IlOp op, IlOp next)
    {
        switch (op)
        {
            case >= IlOp.Add and <= IlOp.Xor: Push(Operate(op)); break;
            case IlOp.Shl or IlOp.Shr or IlOp.ShrUn:
                var count = Coerce(Pop().Scalar, ScalarKind.I32);
                Push(builder.Binary(op == IlOp.Shl ? Op.Shl : op == IlOp.Shr ? Op.Shr : Op.ShrU, Pop().Scalar, count));
                break;
            case IlOp.Neg: Push(builder.Unary(Op.Neg, Pop().Scalar)); break;
            case IlOp.Not: Push(builder.Unary(Op.Not, Pop().Scalar)); break;
            case >= IlOp.Ceq and <= IlOp.CltUn: Push(builder.ToInt(CompareConstants(op) ?? ComparePair(ConditionOf(op)))); break;
            case IlOp.ConvR4 or IlOp.ConvR8: Push(ToFloat(Pop().Scalar, op == IlOp.ConvR4 ? IrType.F32 : IrType.F64, Op.IntToFloat)); break;
            case IlOp.ConvRUn: Push(ToFloat(Pop().Scalar, next == IlOp.ConvR4 ? IrType.F32 : IrType.F64, Op.UIntToFloat)); break;
            case IlOp.ConvI1 or IlOp.ConvU1 or IlOp.ConvI2 or IlOp.ConvU2 or IlOp.ConvI4: Push(ToSmall(op, Pop().Scalar)); break;
            case IlOp.ConvU4: Push(ToInteger(Pop().Scalar, IrType.I32, isUnsigned: true)); break;
            case IlOp.ConvI8 or IlOp.ConvI: Push(ToInteger(Pop().Scalar, IrType.I64, isUnsigned: false)); break;
            case IlOp.ConvU8 or IlOp.ConvU: Push(ToInteger(Pop().Scalar, IrType.I64, isUnsigned: true)); break;
            default: return false;
        }

        return true;
    }

    private Value Operate(IlOp op)
    {
        var (left, right) = PopPair();
        if (left.Type == IrType.Ptr || right.Type == IrType.Ptr)
            throw Refuse("Arithmetic on addresses; use SubView and the view's indexer.");
        var operation = op switch
        {
            IlOp.Add => Op.Add,
            IlOp.Sub => Op.Sub,
            IlOp.Mul => Op.Mul,
            IlOp.Div => Op.Div,
            IlOp.DivUn => Op.DivU,
            IlOp.Rem => Op.Rem,
            IlOp.RemUn => Op.RemU,
            IlOp.And => Op.And,
            IlOp.Or => Op.Or,
            _ => Op.Xor,
        };
        return left.IsFloat && operation == Op.Rem
            ? CallLibrary(left.Type == IrType.F32 ? SingleMath.RemainderMethod : DoubleMath.RemainderMethod, left, right).Scalar
            : builder.Binary(operation, left, right);
    }

    private Value Test(IlOp op)
    {
        if (op is IlOp.BrTrue or IlOp.BrFalse)
        {
            var item = Pop();
            if (item.Constant is { } constant)
                return Function.Bool((constant is not Absent) == (op == IlOp.BrTrue));
            var test = builder.ToTest(item.Scalar);
            return op == IlOp.BrTrue ? test : builder.Unary(Op.Not, test);
        }

        return CompareConstants(op) ?? ComparePair(ConditionOf(op));
    }

    private Value ComparePair(Condition condition)
    {
        var (left, right) = PopPair();
        return builder.Compare(condition, left, right);
    }

    /// <summary>Compares things known at compile time only, as <c>typeof(T) == typeof(float)</c> does.</summary>
    private Value? CompareConstants(IlOp op)
    {
        if (stack[^1].Constant is not { } right || stack[^2].Constant is not { } left)
            return null;
        Pop();
        Pop();
        return Function.Bool(Equals(left, right) == (op is IlOp.Ceq or IlOp.Beq));
    }

    private static Condition ConditionOf(IlOp op) => op switch
    {
        IlOp.Ceq or IlOp.Beq => Condition.Equal,
        IlOp.BneUn => Condition.NotEqual,
        IlOp.Cgt or IlOp.Bgt => Condition.Greater,
        IlOp.CgtUn or IlOp.BgtUn => Condition.GreaterU,
        IlOp.Clt or IlOp.Blt => Condition.Less,
        IlOp.CltUn or IlOp.BltUn => Condition.LessU,
        IlOp.Bge => Condition.GreaterEqual,
        IlOp.BgeUn => Condition.GreaterEqualU,
        IlOp.Ble => Condition.LessEqual,
        _ => Condition.LessEqualU,
    };

    private Value ToFloat(Value value, IrType type, Op fromInteger)
    {
        if (!value.IsFloat)
            return builder.Convert(fromInteger, type, value);
        return value.Type == type ? value : builder.Convert(Op.FloatToFloat, type, value);
    }

    private Value ToInteger(Value value, IrType type, bool isUnsigned)
    {
        if (value.Type == IrType.Ptr)
            throw Refuse("An address is used as a number.");
        if (value.IsFloat)
            return builder.Convert(isUnsigned ? Op.FloatToUInt : Op.FloatToInt, type, value);
        return (value.Type, type) switch
        {
            (IrType.I32, IrType.I64) => builder.Convert(isUnsigned ? Op.ZeroExtend : Op.SignExtend, type, value),
            (IrType.I64, IrType.I32) => builder.Convert(Op.Narrow, type, value),
            _ => value,
        };
    }

    private Value ToSmall(IlOp op, Value value)
    {
        value = ToInteger(value, IrType.I32, isUnsigned: false);
        return op switch
        {
            IlOp.ConvI1 => builder.Convert(Op.SignExtend8, IrType.I32, value),
            IlOp.ConvU1 => builder.Convert(Op.ZeroExtend8, IrType.I32, value),
            IlOp.ConvI2 => builder.Convert(Op.SignExtend16, IrType.I32, value),
            IlOp.ConvU2 => builder.Convert(Op.ZeroExtend16, IrType.I32, value),
            _ => value,
        };
    }
}
