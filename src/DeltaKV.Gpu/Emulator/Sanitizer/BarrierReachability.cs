namespace DeltaKV.Gpu.Emulator;

/// <summary>Which operations can follow a barrier: a thread seen there without having arrived has jumped over it.</summary>
internal sealed unsafe class BarrierReachability(Program program)
{
    private readonly Dictionary<long, bool[]> reached = [];

    public bool IsBehind(Op* barrier, Op* op)
    {
        var site = barrier - program.Operations;
        if (!reached.TryGetValue(site, out var set))
            reached.Add(site, set = Explore(site));
        return set[op - program.Operations];
    }

    private bool[] Explore(long site)
    {
        var set = new bool[program.OperationCount];
        var open = new Stack<long>();
        open.Push(site + 1);
        while (open.TryPop(out var index))
        {
            if (index < 0 || index >= set.Length || set[index])
                continue;
            set[index] = true;
            var op = program.Operations + index;
            if (ControlFlow.IsExit(op))
                continue;
            if (op->Target != program.Operations)
                open.Push(op->Target - program.Operations);
            if (!ControlFlow.IsJump(op))
                open.Push(index + 1);
        }

        return set;
    }
}
