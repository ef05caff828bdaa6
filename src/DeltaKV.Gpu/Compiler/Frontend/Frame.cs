using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>One inlined call: its method, its variables, and where it returns to.</summary>
internal sealed class Frame(IlMethod il, Frame? caller, int callOffset)
{
    private readonly Dictionary<int, int> repeats = [];

    public IlMethod Il { get; } = il;

    public Frame? Caller { get; } = caller;

    public int CallOffset { get; } = callOffset;

    public Variable[] Arguments { get; set; } = [];

    public Variable[] Locals { get; set; } = [];

    /// <summary>The returned value, when there is one.</summary>
    public Variable? Result { get; set; }

    public Block? Return { get; set; }

    /// <summary>The block in which the call begins.</summary>
    public Block? Start { get; set; }

    /// <summary>The IR block of each IL block that some edge already leads to.</summary>
    public Block?[] Blocks { get; } = new Block?[il.Flow!.Blocks.Count];

    /// <summary>Variables that carry what is on the IL stack into a block.</summary>
    public Dictionary<int, Variable?[]> EntryStacks { get; } = [];

    /// <summary>What is known at compile time only and stands on the IL stack on entry to a block.</summary>
    public Dictionary<(int Block, int Slot), object> EntryConstants { get; } = [];

    /// <summary>Loops being unrolled: the block of the next iteration, once something jumps there.</summary>
    public Dictionary<IlLoop, Block?> Unrolling { get; } = [];

    /// <summary>Arguments known at compile time only, such as a lambda.</summary>
    public Dictionary<int, object> Constants { get; } = [];

    /// <summary>Locals that hold something known at compile time only.</summary>
    public Dictionary<int, object> ConstantLocals { get; } = [];

    /// <summary>The calls that led here, each with how often it was translated before, as unrolling does.</summary>
    public string Path { get; set; } = "";

    public int CountCall(int offset) => repeats[offset] = repeats.GetValueOrDefault(offset) + 1;

    public bool Runs(IlMethod method)
    {
        for (var frame = this; frame != null; frame = frame.Caller)
        {
            if (frame.Il == method)
                return true;
        }

        return false;
    }
}
