using DeltaKV.Gpu.Compiler.Frontend;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Finds for every address whether it is global, shared or local; one that could be two of them is an error.</summary>
internal static class SpaceInference
{
    public static void Run(Function function)
    {
        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var block in function.Blocks)
            {
                foreach (var phi in block.Phis)
                    changed |= Update(phi);
                foreach (var value in block.Values)
                    changed |= Update(value);
            }
        }

        foreach (var block in function.Blocks)
        {
            foreach (var value in block.Phis.Concat(block.Values))
            {
                if (value.Type == IrType.Ptr && value.Space == AddressSpace.Unknown)
                    value.Space = AddressSpace.Global;
            }
        }
    }

    private static bool Update(Value value)
    {
        if (value.Type != IrType.Ptr)
            return false;
        var space = value.Op switch
        {
            Op.SharedAddress => AddressSpace.Shared,
            Op.LocalAddress => AddressSpace.Local,
            Op.ElementAddress => value.Args[0].Space,
            Op.Phi => Join(value, value.Args),
            Op.Select => Join(value, value.Args.AsSpan(1)),
            _ => AddressSpace.Global,
        };
        if (space == value.Space)
            return false;
        value.Space = space;
        return true;
    }

    private static AddressSpace Join(Value value, ReadOnlySpan<Value> operands)
    {
        var joined = AddressSpace.Unknown;
        foreach (var operand in operands)
        {
            if (operand.Space == AddressSpace.Unknown || operand.Space == joined)
                continue;
            if (joined != AddressSpace.Unknown)
            {
                var location = value.Location.Frame is not null ? value.Location : operand.Location;
                throw SourceOf.Failure($"A view or reference is {joined} memory on one path and {operand.Space} memory on another; use two variables.", location);
            }

            joined = operand.Space;
        }

        return joined;
    }
}
