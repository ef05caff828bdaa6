namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// From where to where in the program each register holds a value somebody may still read. Lanes only ever write their own part of a
/// register while they are apart, so what holds for one thread holds for the warp.
/// </summary>
internal sealed class Liveness
{
    private readonly List<PtxInstruction> instructions;
    private readonly Dictionary<PtxRegister, int> numbers = [];
    private readonly List<PtxRegister> registers = [];
    private readonly int[][] definitions;
    private readonly int[][] uses;
    private readonly int[] starts;

    /// <param name="kernel">The kernel.</param>
    /// <param name="canonical">The register that stands for another, or null for one that needs no room.</param>
    public Liveness(PtxKernel kernel, Func<PtxRegister, PtxRegister?> canonical)
    {
        instructions = kernel.Instructions;
        definitions = new int[instructions.Count][];
        uses = new int[instructions.Count][];
        List<PtxRegister> written = [], read = [];
        List<int> scratch = [];
        for (var i = 0; i < instructions.Count; i++)
        {
            written.Clear();
            read.Clear();
            OperandRoles.Collect(instructions[i], written, read);
            definitions[i] = Number(written, canonical, scratch);
            uses[i] = Number(read, canonical, scratch);
        }

        starts = BlockStarts();
    }

    /// <summary>First and last instruction of every register's life, in order of the first.</summary>
    public List<(PtxRegister Register, int First, int Last)> Intervals()
    {
        var blocks = new BasicBlock[starts.Length];
        for (var b = 0; b < blocks.Length; b++)
            blocks[b] = Summarize(b);
        Propagate(blocks);
        var first = new int[registers.Count];
        var last = new int[registers.Count];
        Array.Fill(first, int.MaxValue);
        Array.Fill(last, -1);
        for (var b = 0; b < blocks.Length; b++)
        {
            var (start, end) = (starts[b], End(b));
            blocks[b].LiveIn.ForEach(register => Extend(register, start));
            blocks[b].LiveOut.ForEach(register => Extend(register, end - 1));
            for (var i = start; i < end; i++)
            {
                foreach (var register in definitions[i])
                    Extend(register, i);
                foreach (var register in uses[i])
                    Extend(register, i);
            }
        }

        var intervals = new List<(PtxRegister Register, int First, int Last)>(registers.Count);
        for (var r = 0; r < registers.Count; r++)
            intervals.Add((registers[r], first[r], last[r]));
        intervals.Sort(static (x, y) => x.First.CompareTo(y.First));
        return intervals;

        void Extend(int register, int instruction)
        {
            first[register] = Math.Min(first[register], instruction);
            last[register] = Math.Max(last[register], instruction);
        }
    }

    private int[] Number(List<PtxRegister> operands, Func<PtxRegister, PtxRegister?> canonical, List<int> scratch)
    {
        scratch.Clear();
        foreach (var operand in operands)
        {
            if (operand.Type == PtxType.Pred || canonical(operand) is not { } register)
                continue;
            if (!numbers.TryGetValue(register, out var number))
            {
                numbers.Add(register, number = registers.Count);
                registers.Add(register);
            }

            scratch.Add(number);
        }

        return scratch.ToArray();
    }

    private int End(int block) => block + 1 < starts.Length ? starts[block + 1] : instructions.Count;

    private int[] BlockStarts()
    {
        var set = new SortedSet<int> { 0 };
        for (var i = 0; i < instructions.Count; i++)
        {
            if (!IsControl(instructions[i]))
                continue;
            set.Add(i + 1);
            set.UnionWith(Targets(instructions[i]));
        }

        return [.. set.Where(start => start < instructions.Count)];
    }

    private static bool IsControl(PtxInstruction i) => i.Name is "bra" or "brx" or "ret" or "exit" or "trap";

    private static IEnumerable<int> Targets(PtxInstruction i)
    {
        IEnumerable<PtxOperand> labels = [];
        if (i.Name == "bra")
            labels = [i.Operands[0]];
        else if (i.Name == "brx" && i.Operands[1].Scope is { } scope && scope.TryFindBranchTargets(i.Operands[1].Name, out var table))
            labels = table;
        foreach (var label in labels)
        {
            if (label.Scope is not null && label.Scope.TryFindLabel(label.Name, out var target))
                yield return target;
        }
    }

    private BasicBlock Summarize(int b)
    {
        var block = new BasicBlock(registers.Count);
        for (var i = starts[b]; i < End(b); i++)
        {
            foreach (var register in uses[i])
            {
                if (!block.Defined.Contains(register))
                    block.LiveIn.Add(register);
            }

            foreach (var register in definitions[i])
                block.Defined.Add(register);
        }

        var final = instructions[End(b) - 1];
        foreach (var target in Targets(final))
        {
            if (target < instructions.Count)
                block.Successors.Add(Array.BinarySearch(starts, target));
        }

        if (b + 1 < starts.Length && (final.Guard is not null || !IsControl(final)))
            block.Successors.Add(b + 1);
        return block;
    }

    private static void Propagate(BasicBlock[] blocks)
    {
        var changed = true;
        while (changed)
        {
            changed = false;
            for (var b = blocks.Length - 1; b >= 0; b--)
            {
                var grew = false;
                foreach (var successor in blocks[b].Successors)
                    grew |= blocks[b].LiveOut.UnionWith(blocks[successor].LiveIn);
                if (grew)
                    changed |= blocks[b].LiveIn.UnionWithDifference(blocks[b].LiveOut, blocks[b].Defined);
            }
        }
    }

    private sealed class BasicBlock(int count)
    {
        public RegisterSet Defined { get; } = new(count);

        public RegisterSet LiveIn { get; } = new(count);

        public RegisterSet LiveOut { get; } = new(count);

        public List<int> Successors { get; } = [];
    }
}
