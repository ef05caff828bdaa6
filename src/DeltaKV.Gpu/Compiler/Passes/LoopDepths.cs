using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>In how many loops around it a value changes: 0 is the same for the whole kernel.</summary>
internal sealed class LoopDepths
{
    private readonly Dictionary<Value, int> depths = [];
    private readonly Dictionary<Block, int> blocks = [];

    public LoopDepths(Function function)
    {
        foreach (var loop in Loop.Find(function))
        {
            foreach (var block in loop.Blocks)
                blocks[block] = blocks.GetValueOrDefault(block) + 1;
        }

        foreach (var block in function.Blocks)
        {
            foreach (var value in block.Values)
                Of(value);
        }
    }

    public int Of(Value value)
    {
        if (value.Block is null)
            return 0;
        if (depths.TryGetValue(value, out var known))
            return known;
        if (!value.IsSpeculable())
            return depths[value] = blocks.GetValueOrDefault(value.Block);
        var depth = 0;
        foreach (var argument in value.Args)
            depth = Math.Max(depth, Of(argument));
        return depths[value] = depth;
    }
}
