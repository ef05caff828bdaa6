using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Replaces small branches without side effects by selects, and chains of conditions by one.</summary>
internal static class IfConversion
{
    private const int MostValues = 6;
    private const int MostPhis = 4;

    public static bool Run(Function function)
    {
        var builder = new IrBuilder(function);
        var changed = false;
        for (var i = function.Blocks.Count - 1; i >= 0; i--)
        {
            var block = function.Blocks[i];
            if (block.Test is not null && (ConvertSelect(builder, block) || ConvertChain(builder, block)))
                changed = true;
        }

        if (changed)
        {
            ControlFlowGraph.Order(function);
            ControlFlowGraph.ResolveAll(function);
        }

        return changed;
    }

    private static bool ConvertSelect(IrBuilder builder, Block block)
    {
        var (whenTrue, whenFalse) = (block.Successors[0], block.Successors[1]);
        var join = IsArm(whenTrue) ? whenTrue.Successors[0] : whenFalse.Successors is [var only] && IsArm(whenFalse) ? only : null;
        if (join is null || join == block || join == whenTrue && join == whenFalse)
            return false;
        var trueArm = whenTrue != join && IsArm(whenTrue) ? whenTrue : null;
        var falseArm = whenFalse != join && IsArm(whenFalse) ? whenFalse : null;
        if ((trueArm is null && whenTrue != join) || (falseArm is null && whenFalse != join))
            return false;
        if (trueArm is not null && trueArm.Successors[0] != join || falseArm is not null && falseArm.Successors[0] != join)
            return false;
        if (join.Phis.Count > MostPhis || join.Phis.Exists(static phi => phi.Type is IrType.F64) || !AreCheap(trueArm, falseArm))
            return false;
        var test = block.Test!;
        Take(block, trueArm);
        Take(block, falseArm);
        builder.Block = block;
        builder.Target = null;
        builder.Location = block.TestLocation;
        var selected = new List<Value>();
        foreach (var phi in join.Phis)
        {
            var fromTrue = phi.Args[join.Predecessors.IndexOf(trueArm ?? block)];
            var fromFalse = phi.Args[join.Predecessors.IndexOf(falseArm ?? block)];
            selected.Add(builder.Select(test, fromTrue, fromFalse));
        }

        block.Test = null;
        block.Successors.Clear();
        join.RemovePredecessor(trueArm ?? block);
        join.RemovePredecessor(falseArm ?? block);
        block.JumpTo(join);
        for (var i = 0; i < selected.Count; i++)
            join.Phis[i].Args = [.. join.Phis[i].Args, selected[i]];
        return true;
    }

    /// <summary><c>if (a) if (b) X</c> with one way out of both becomes <c>if (a and b) X</c>; likewise for or.</summary>
    private static bool ConvertChain(IrBuilder builder, Block block)
    {
        for (var side = 0; side < 2; side++)
        {
            var (second, exit) = (block.Successors[side], block.Successors[1 - side]);
            if (second.Test is null || second.Predecessors.Count != 1 || second.Phis.Count > 0 || second == block || !AreCheap(second, null))
                continue;
            var exitSide = second.Successors.IndexOf(exit);
            if (exitSide < 0 || second.Successors[0] == second.Successors[1])
                continue;
            var (fromBlock, fromSecond) = (exit.Predecessors.IndexOf(block), exit.Predecessors.IndexOf(second));
            if (exit.Phis.Exists(phi => phi.Args[fromBlock] != phi.Args[fromSecond]))
                continue;
            Take(block, second);
            builder.Block = block;
            builder.Target = null;
            builder.Location = block.TestLocation;
            var leavesFirst = side == 1 ? block.Test! : builder.Unary(Op.Not, block.Test!);
            var leavesSecond = exitSide == 0 ? second.Test : builder.Unary(Op.Not, second.Test);
            block.Test = builder.Binary(Op.Or, leavesFirst, leavesSecond);
            var inner = second.Successors[1 - exitSide];
            exit.RemovePredecessor(second);
            block.Successors.Clear();
            block.Successors.Add(exit);
            block.Successors.Add(inner);
            inner.Predecessors[inner.Predecessors.IndexOf(second)] = block;
            second.Successors.Clear();
            second.Predecessors.Clear();
            return true;
        }

        return false;
    }

    private static bool IsArm(Block block) => block.Predecessors.Count == 1 && block.Successors.Count == 1 && block.Phis.Count == 0;

    private static bool AreCheap(Block? first, Block? second)
    {
        var count = 0;
        foreach (var arm in (ReadOnlySpan<Block?>)[first, second])
        {
            if (arm is null)
                continue;
            foreach (var value in arm.Values)
            {
                if (!value.IsCheap() || ++count > MostValues)
                    return false;
            }
        }

        return true;
    }

    private static void Take(Block block, Block? arm)
    {
        if (arm is null)
            return;
        foreach (var value in arm.Values)
            value.Block = block;
        block.Values.AddRange(arm.Values);
        arm.Values = [];
    }
}
