using System.Collections;

namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// From where to where in the program each register holds a value somebody may still read. Lanes only ever write their own part of a
/// register while they are apart, so what holds for one thread holds for the warp.
/// </summary>
internal sealed class Liveness
{
    private readonly List<PtxInstruction> instructions;
    private readonly Func<PtxRegister, PtxRegister?> canonical;
    private readonly Dictionary<PtxRegister, int> numbers = [];
    private readonly List<PtxRegister> registers = [];
    private readonly int[] starts;

    /// <param name="kernel">The kernel.</param>
    /// <param name="canonical">The register that stands for another, or null for one that needs no room.</param>
    public Liveness(PtxKernel kernel, Func<PtxRegister, PtxRegister?> canonical)
    {
        instructions = kernel.Instructions;
        this.canonical = canonical;
        starts = BlockStarts();
    }

    /// <summary>First and last instruction of every register's life, in order of the first.</summary>
    public IEnumerable<(PtxRegister Register, int First, int Last)> Intervals()
    {
        var blocks = Enumerable.Range(0, starts.Length).Select(Summarize).ToArray();
        Propagate(blocks);
        var first = Enumerable.Repeat(int.MaxValue, registers.Count).ToArray();
        var last = Enumerable.Repeat(-1, registers.Count).ToArray();
        for (var b = 0; b < blocks.Length; b++)
        {
            foreach (var register in Members(blocks[b].LiveIn))
                Extend(register, starts[b]);
            foreach (var register in Members(blocks[b].LiveOut))
                Extend(register, End(b) - 1);
            for (var i = starts[b]; i < End(b); i++)
            {
                foreach (var register in Numbered(OperandRoles.Definitions(instructions[i])))
                    Extend(register, i);
                foreach (var register in Numbered(OperandRoles.Uses(instructions[i])))
                    Extend(register, i);
            }
        }

        return Enumerable.Range(0, registers.Count).Select(r => (registers[r], first[r], last[r])).OrderBy(interval => interval.Item2);

        void Extend(int register, int instruction)
        {
            first[register] = Math.Min(first[register], instruction);
            last[register] = Math.Max(last[register], instruction);
        }
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
        HashSet<int> used = [], defined = [];
        for (var i = starts[b]; i < End(b); i++)
        {
            used.UnionWith(Numbered(OperandRoles.Uses(instructions[i])).Where(register => !defined.Contains(register)));
            defined.UnionWith(Numbered(OperandRoles.Definitions(instructions[i])));
        }

        var final = instructions[End(b) - 1];
        var successors = Targets(final).Where(target => target < instructions.Count).Select(target => Array.BinarySearch(starts, target)).ToList();
        if (b + 1 < starts.Length && (final.Guard is not null || !IsControl(final)))
            successors.Add(b + 1);
        return new BasicBlock(used, defined, successors);
    }

    private void Propagate(BasicBlock[] blocks)
    {
        foreach (var block in blocks)
            block.Prepare(registers.Count);
        var changed = true;
        while (changed)
        {
            changed = false;
            for (var b = blocks.Length - 1; b >= 0; b--)
                changed |= blocks[b].Update(blocks);
        }
    }

    private IEnumerable<int> Numbered(IEnumerable<PtxRegister> operands)
    {
        foreach (var operand in operands)
        {
            if (operand.Type == PtxType.Pred || canonical(operand) is not { } register)
                continue;
            if (!numbers.TryGetValue(register, out var number))
            {
                numbers.Add(register, number = registers.Count);
                registers.Add(register);
            }

            yield return number;
        }
    }

    private static IEnumerable<int> Members(BitArray set)
    {
        for (var i = 0; i < set.Length; i++)
        {
            if (set[i])
                yield return i;
        }
    }

    private sealed class BasicBlock(HashSet<int> used, HashSet<int> defined, List<int> successors)
    {
        private BitArray uses = new(0);
        private BitArray keeps = new(0);

        public BitArray LiveIn { get; private set; } = new(0);

        public BitArray LiveOut { get; private set; } = new(0);

        public void Prepare(int count)
        {
            uses = new BitArray(count);
            keeps = new BitArray(count, true);
            foreach (var register in used)
                uses[register] = true;
            foreach (var register in defined)
                keeps[register] = false;
            LiveIn = new BitArray(uses);
            LiveOut = new BitArray(count);
        }

        public bool Update(BasicBlock[] blocks)
        {
            foreach (var successor in successors)
                LiveOut.Or(blocks[successor].LiveIn);
            var live = new BitArray(LiveOut).And(keeps).Or(uses);
            if (!new BitArray(live).Xor(LiveIn).HasAnySet())
                return false;
            LiveIn = live;
            return true;
        }
    }
}
