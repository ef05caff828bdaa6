using System.Buffers.Binary;
using System.Reflection;

namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>Turns the bytes of a method body into instructions with their members resolved in the method's generic context.</summary>
internal ref struct IlDecoder(MethodBase method, ReadOnlySpan<byte> code)
{
    private readonly ReadOnlySpan<byte> code = code;
    private readonly Module module = method.Module;
    private readonly Type[]? typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
    private readonly Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
    private int position;
    private Type? constraint;
    private bool isVolatile;

    public List<IlInstruction> Decode()
    {
        var result = new List<IlInstruction>(code.Length / 2);
        var start = 0;
        while (position < code.Length)
        {
            var instruction = Next();
            if (instruction.Op is IlOp.Constrained or IlOp.Volatile or IlOp.ReadOnly or IlOp.Tail or IlOp.Unaligned)
                continue;
            // A branch goes to the prefix of an instruction.
            instruction.Offset = start;
            start = position;
            instruction.Constraint = constraint;
            instruction.IsVolatile = isVolatile;
            constraint = null;
            isVolatile = false;
            result.Add(instruction);
        }

        return result;
    }

    private IlInstruction Next()
    {
        var offset = position;
        int op = code[position++];
        if (op == 0xfe)
            op = 0xfe00 | code[position++];
        switch (op)
        {
            case >= 0x02 and <= 0x05: return Make(IlOp.LdArg, offset, op - 0x02);
            case >= 0x06 and <= 0x09: return Make(IlOp.LdLocal, offset, op - 0x06);
            case >= 0x0a and <= 0x0d: return Make(IlOp.StLocal, offset, op - 0x0a);
            case >= 0x0e and <= 0x10: return Make(IlOp.LdArg + (ushort)(op - 0x0e), offset, code[position++]);
            case >= 0x11 and <= 0x13: return Make(IlOp.LdLocal + (ushort)(op - 0x11), offset, code[position++]);
            case >= 0x15 and <= 0x1e: return Make(IlOp.LdcI4, offset, op - 0x16);
            case 0x1f: return Make(IlOp.LdcI4, offset, (sbyte)code[position++]);
            case >= 0x2b and <= 0x37:
                var near = (sbyte)code[position++];
                return Make(IlOp.Br + (ushort)(op - 0x2b), offset, position + near);
            case 0xde:
                var leave = (sbyte)code[position++];
                return Make(IlOp.Leave, offset, position + leave);
            case (>= 0x38 and <= 0x44) or 0xdd:
                var far = ReadInt32();
                return Make((IlOp)op, offset, position + far);
            case 0x20: return Make(IlOp.LdcI4, offset, ReadInt32());
            case 0x22: return Make(IlOp.LdcR4, offset, (uint)ReadInt32());
            case 0x21 or 0x23:
                position += 8;
                return Make((IlOp)op, offset, BinaryPrimitives.ReadInt64LittleEndian(code[(position - 8)..]));
            case 0x45: return ReadSwitch(offset);
            case 0xfe09 or 0xfe0a or 0xfe0b or 0xfe0c or 0xfe0d or 0xfe0e:
                position += 2;
                return Make((IlOp)op, offset, BinaryPrimitives.ReadUInt16LittleEndian(code[(position - 2)..]));
            case 0xfe12: return Make(IlOp.Unaligned, offset, code[position++]);
            case 0xfe13:
                isVolatile = true;
                return Make(IlOp.Volatile, offset, 0);
            default: return HasToken(op) ? ReadToken((IlOp)op, offset) : Make((IlOp)op, offset, 0);
        }
    }

    private IlInstruction ReadToken(IlOp op, int offset)
    {
        var token = ReadInt32();
        var instruction = Make(op, offset, token);
        switch (op)
        {
            case IlOp.LdString:
                instruction.Target = module.ResolveString(token);
                break;
            case IlOp.Constrained:
                constraint = module.ResolveType(token, typeArguments, methodArguments);
                break;
            case IlOp.CallIndirect:
                break;
            default:
                instruction.Target = module.ResolveMember(token, typeArguments, methodArguments);
                break;
        }

        return instruction;
    }

    private IlInstruction ReadSwitch(int offset)
    {
        var targets = new int[ReadInt32()];
        var end = position + (4 * targets.Length);
        for (var i = 0; i < targets.Length; i++)
            targets[i] = end + ReadInt32();
        return Make(IlOp.Switch, offset, end) with { Target = targets };
    }

    private int ReadInt32()
    {
        position += 4;
        return BinaryPrimitives.ReadInt32LittleEndian(code[(position - 4)..]);
    }

    private static IlInstruction Make(IlOp op, int offset, long operand) => new(op, offset) { Operand = operand };

    private static bool HasToken(int op) => op switch
    {
        0x27 or 0x28 or 0x29 or (>= 0x6f and <= 0x75) or 0x79 or (>= 0x7b and <= 0x81) => true,
        0x8c or 0x8d or 0x8f or 0xa3 or 0xa4 or 0xa5 or 0xc2 or 0xc6 or 0xd0 => true,
        0xfe06 or 0xfe07 or 0xfe15 or 0xfe16 or 0xfe1c => true,
        _ => false,
    };
}
