using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>The passes in order.</summary>
internal static class Optimizer
{
    public static void Run(Function function)
    {
        ControlFlowGraph.Order(function);
        ControlFlowGraph.ResolveAll(function);
        Simplify.Run(function);
        SpaceInference.Run(function);
        InvariantMotion.Run(function);
        AddressLowering.Run(function);
        Clean(function);
        if (IfConversion.Run(function))
            Clean(function);
        LoadCombining.Run(function);
        InvariantMotion.Run(function);
        Clean(function);
        MultiplyAddFusion.Run(function);
    }

    private static void Clean(Function function)
    {
        Simplify.Run(function);
        ValueNumbering.Run(function);
        Simplify.Run(function);
        DeadCode.Run(function);
    }
}
