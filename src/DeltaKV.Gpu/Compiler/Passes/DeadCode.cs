using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Drops values nobody uses.</summary>
internal static class DeadCode
{
    public static void Run(Function function)
    {
        var live = new bool[function.ValueCount];
        var pending = new Stack<Value>();
        foreach (var block in function.Blocks)
        {
            if (block.Test is { } test)
                Mark(test);
            foreach (var value in block.Values)
            {
                if (!value.IsRemovable())
                    Mark(value);
            }
        }

        while (pending.TryPop(out var value))
        {
            foreach (var argument in value.Args)
                Mark(argument);
        }

        foreach (var block in function.Blocks)
        {
            block.Phis.RemoveAll(phi => !live[phi.Id]);
            block.Values.RemoveAll(value => !live[value.Id]);
        }

        void Mark(Value value)
        {
            if (live[value.Id])
                return;
            live[value.Id] = true;
            pending.Push(value);
        }
    }
}
