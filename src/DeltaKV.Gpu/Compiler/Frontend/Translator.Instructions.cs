using System.Reflection;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <content>One IL instruction at a time.</content>
internal sealed partial class Translator
{
    private void Step(in IlInstruction instruction, IlOp next)
    {
        switch (instruction.Op)
        {
            case IlOp.Nop or IlOp.Break: break;
            case IlOp.LdcI4: Push(builder.Int(instruction.Int)); break;
            case IlOp.LdcI8: Push(builder.Const(IrType.I64, instruction.Operand)); break;
            case IlOp.LdcR4: Push(builder.Const(IrType.F32, instruction.Operand)); break;
            case IlOp.LdcR8: Push(builder.Const(IrType.F64, instruction.Operand)); break;
            case IlOp.LdString: Push(StackItem.Known(instruction.Target!)); break;
            case IlOp.Dup: Push(stack[^1]); break;
            case IlOp.Pop: Pop(); break;
            case IlOp.LdArg: LoadArgument(instruction.Int); break;
            case IlOp.LdArgAddress: Push(PlaceOf(frame.Arguments[instruction.Int], 0)); break;
            case IlOp.StArg: WriteVariable(frame.Arguments[instruction.Int], Pop()); break;
            case IlOp.LdLocal: LoadLocal(instruction.Int); break;
            case IlOp.LdLocalAddress: Push(PlaceOf(Local(instruction.Int), 0)); break;
            case IlOp.StLocal: StoreLocal(instruction.Int); break;
            case >= IlOp.LdindI1 and <= IlOp.LdindR8:
                Push(Load(Pop().Scalar, TypeLayout.Of(IndirectType(instruction.Op)), instruction.IsVolatile));
                break;
            case (>= IlOp.StindI1 and <= IlOp.StindR8) or IlOp.StindI:
                var stored = Pop();
                Store(Pop().Scalar, TypeLayout.Of(IndirectType(instruction.Op)), stored, instruction.IsVolatile);
                break;
            case IlOp.LdObject: Push(Load(Pop().Scalar, LayoutOf(instruction), instruction.IsVolatile)); break;
            case IlOp.StObject:
                var item = Pop();
                Store(Pop().Scalar, LayoutOf(instruction), item, instruction.IsVolatile);
                break;
            case IlOp.CopyObject:
                var source = Pop().Scalar;
                Store(Pop().Scalar, LayoutOf(instruction), Load(source, LayoutOf(instruction)));
                break;
            case IlOp.InitObject: Store(Pop().Scalar, LayoutOf(instruction), ZeroOf(LayoutOf(instruction))); break;
            case IlOp.SizeOf: Push(builder.Int(LayoutOf(instruction).Size)); break;
            case IlOp.LdToken when instruction.Target is Type type: Push(StackItem.Known(type)); break;
            case IlOp.LdField: LoadField((FieldInfo)instruction.Target!, instruction.IsVolatile); break;
            case IlOp.LdFieldAddress:
                var field = (FieldInfo)instruction.Target!;
                Push(FieldAddress(Pop().Scalar, TypeLayout.Of(field.DeclaringType!), OffsetOf(field), TypeLayout.Of(field.FieldType)));
                break;
            case IlOp.StField:
                var target = (FieldInfo)instruction.Target!;
                var value = Pop();
                var layout = TypeLayout.Of(target.FieldType);
                Store(FieldAddress(Pop().Scalar, TypeLayout.Of(target.DeclaringType!), OffsetOf(target), layout), layout, value, instruction.IsVolatile);
                break;
            case IlOp.LdFunction or IlOp.LdStaticField or IlOp.StStaticField when Delegates(instruction): break;
            case IlOp.LdStaticField: Push(StaticField.Read(this, (FieldInfo)instruction.Target!)); break;
            case IlOp.LdStaticFieldAddress:
                var constant = StaticField.Read(this, (FieldInfo)instruction.Target!);
                Push(Spill(constant, TypeLayout.Of(((FieldInfo)instruction.Target!).FieldType)));
                break;
            case IlOp.Call or IlOp.CallVirtual or IlOp.NewObject: Call(instruction); break;
            case IlOp.Box or IlOp.IsInstance or IlOp.UnboxAny: Box(instruction); break;
            case IlOp.LdNull: Push(StackItem.Known(Absent.Instance)); break;
            default:
                if (!Arithmetic(instruction.Op, next))
                    throw Refuse(Refusal.Of(instruction));
                break;
        }
    }

    /// <summary>A variable in registers that holds the item, as an address.</summary>
    public Value Spill(StackItem item, TypeLayout layout)
    {
        var variable = NewVariable(layout);
        WriteVariable(variable, item);
        return PlaceOf(variable, 0);
    }

    private static TypeLayout LayoutOf(in IlInstruction instruction) => TypeLayout.Of((Type)instruction.Target!);

    private static int OffsetOf(FieldInfo field)
    {
        var container = TypeLayout.Of(field.DeclaringType!);
        return container.IsScalar ? 0 : container.OffsetOf(field);
    }

    private void LoadArgument(int index)
    {
        if (frame.Constants.TryGetValue(index, out var constant))
            Push(StackItem.Known(constant));
        else
            Push(ReadVariable(frame.Arguments[index] ?? throw Refuse("The method uses its object; only static methods, and lambdas that capture nothing, can be kernels.")));
    }

    /// <summary>A local, made when it is first seen (it may be of a type kernels cannot have), but zero since the call began.</summary>
    private Variable Local(int index)
    {
        if (frame.Locals[index] is not { } variable)
            frame.Locals[index] = variable = NewVariable(TypeLayout.Of(frame.Il.Locals[index]), frame.Start!);
        return variable;
    }

    private void LoadLocal(int index)
    {
        if (frame.ConstantLocals.TryGetValue(index, out var constant))
            Push(StackItem.Known(constant));
        else
            Push(ReadVariable(Local(index)));
    }

    private void StoreLocal(int index)
    {
        var item = Pop();
        if (item.Constant is { } constant)
            frame.ConstantLocals[index] = constant;
        else
            WriteVariable(Local(index), item);
    }

    private void LoadField(FieldInfo field, bool isVolatile)
    {
        var item = Pop();
        var container = TypeLayout.Of(field.DeclaringType!);
        var layout = TypeLayout.Of(field.FieldType);
        var offset = OffsetOf(field);
        if (item.IsScalar && item.Scalar.Type == IrType.Ptr)
        {
            Push(Load(FieldAddress(item.Scalar, container, offset, layout), layout, isVolatile));
            return;
        }

        if (item.IsScalar)
        {
            Push(item);
            return;
        }

        var leaves = item.Leaves();
        var picked = new Value[layout.Leaves.Length];
        for (var i = 0; i < picked.Length; i++)
        {
            var index = container.LeafAt(offset + layout.Leaves[i].Offset);
            var kind = layout.Leaves[i].Kind;
            picked[i] = builder.Normalize(builder.BitCast(leaves[index], kind.Register()), kind);
        }

        Push(new StackItem(layout, picked));
    }

    private static Type IndirectType(IlOp op) => op switch
    {
        IlOp.LdindI1 => typeof(sbyte),
        IlOp.LdindU1 or IlOp.StindI1 => typeof(byte),
        IlOp.LdindI2 => typeof(short),
        IlOp.LdindU2 or IlOp.StindI2 => typeof(ushort),
        IlOp.LdindI4 or IlOp.LdindU4 or IlOp.StindI4 => typeof(int),
        IlOp.LdindR4 or IlOp.StindR4 => typeof(float),
        IlOp.LdindR8 or IlOp.StindR8 => typeof(double),
        _ => typeof(long),
    };
}
