using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Joins an integer product with the sum that alone uses it. Floats are never joined: that would round differently.</summary>
internal static class MultiplyAddFusion
{
    public static void Run(Function function)
    {
        var uses = new int[function.ValueCount];
        foreach (var block in function.Blocks)
        {
            foreach (var value in block.Phis.Concat(block.Values))
            {
                foreach (var argument in value.Args)
                    uses[argument.Id]++;
            }
        }

        foreach (var block in function.Blocks)
        {
            foreach (var value in block.Values)
            {
                if (value.Op != Op.Add || value.Type is not (IrType.I32 or IrType.I64))
                    continue;
                for (var i = 0; i < 2; i++)
                {
                    var product = value.Args[i];
                    if (Fused(product.Op) is not { } op || product.Block != block || uses[product.Id] != 1)
                        continue;
                    value.Args = [product.Args[0], product.Args[1], value.Args[1 - i]];
                    value.Op = op;
                    break;
                }
            }
        }

        DeadCode.Run(function);
    }

    private static Op? Fused(Op op) => op switch
    {
        Op.Mul => Op.Mad,
        Op.MulWideS => Op.MadWideS,
        Op.MulWideU => Op.MadWideU,
        _ => null,
    };
}
