using System.Runtime.CompilerServices;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>Turns reads and writes of variables into SSA values while blocks are being built.</summary>
/// <remarks>Source: Braun et al., Simple and Efficient Construction of Static Single Assignment Form, 2013.</remarks>
internal sealed class SsaVariables(Function function)
{
    private readonly List<IrType> types = [];
    private readonly List<(Block Block, int Variable, Value Assumed)> assumptions = [];

    // Phis that join a reference with something else; what they join may turn out to be the same once the outermost read is done.
    private readonly List<Value> suspects = [];
    private int depth;

    public Variable Create(TypeLayout layout, ArraySite? array = null)
    {
        var variable = new Variable(types.Count, layout, array);
        foreach (var leaf in layout.Leaves)
            types.Add(leaf.Kind.Register());
        return variable;
    }

    public static void Write(Block block, int variable, Value value) => block.Variables[variable] = value;

    public Value Read(Block block, int variable)
    {
        if (block.Variables.TryGetValue(variable, out var known))
            return known.Resolve();

        // The way back to the definition is as long as the kernel; KernelCompiler tries again with a larger stack.
        RuntimeHelpers.EnsureSufficientExecutionStack();
        depth++;
        var value = ReadFromPredecessors(block, variable);
        depth--;
        block.Variables[variable] = value;
        if (depth == 0)
            CheckSuspects();
        return value.Resolve();
    }

    /// <summary>Says that all predecessors of the block are known now.</summary>
    public void Seal(Block block)
    {
        block.IsSealed = true;
        depth++;
        foreach (var (variable, phi) in block.Incomplete)
            Complete(block, variable, phi);
        depth--;
        CheckSuspects();
        block.Incomplete.Clear();
        for (var i = assumptions.Count - 1; i >= 0; i--)
        {
            var (at, variable, assumed) = assumptions[i];
            if (at != block)
                continue;
            assumptions.RemoveAt(i);
            foreach (var predecessor in block.Predecessors)
            {
                if (Read(predecessor, variable) != assumed)
                    throw Joined();
            }
        }
    }

    private static NotSupportedException Joined() => new(
        "A reference, or an array in registers, is not the same one on all paths; references to local variables must be known at compile time.");

    private Value ReadFromPredecessors(Block block, int variable)
    {
        if (block.Predecessors.Count == 0)
            return function.Const(types[variable], 0);
        if (!block.IsSealed)
            return ReadAtLoop(block, variable);
        if (block.Predecessors.Count == 1)
            return Read(block.Predecessors[0], variable);
        var phi = NewPhi(block, variable);
        block.Variables[variable] = phi;
        return Complete(block, variable, phi);
    }

    /// <summary>At a loop's head a reference to a variable in registers is taken to stay what it was on entry; sealing checks it.</summary>
    private Value ReadAtLoop(Block block, int variable)
    {
        if (types[variable] == IrType.Ptr && Read(block.Predecessors[0], variable) is { Op: Op.Place } place)
        {
            assumptions.Add((block, variable, place));
            return place;
        }

        var phi = NewPhi(block, variable);
        block.Incomplete.Add((variable, phi));
        return phi;
    }

    private Value NewPhi(Block block, int variable)
    {
        var phi = function.NewValue(Op.Phi, types[variable]);
        phi.Block = block;
        phi.Data = new List<Value>();
        block.Phis.Add(phi);
        return phi;
    }

    private Value Complete(Block block, int variable, Value phi)
    {
        var operands = new Value[block.Predecessors.Count];
        for (var i = 0; i < operands.Length; i++)
        {
            operands[i] = Read(block.Predecessors[i], variable);
            if (operands[i].Op == Op.Phi && operands[i] != phi)
                ((List<Value>)operands[i].Data!).Add(phi);
        }

        phi.Args = operands;
        var result = RemoveIfTrivial(phi);
        if (result == phi && Array.Exists(operands, static operand => operand.Op == Op.Place))
            suspects.Add(phi);
        return result;
    }

    private void CheckSuspects()
    {
        foreach (var phi in suspects)
        {
            if (phi.Replacement is null)
                throw Joined();
        }

        suspects.Clear();
    }

    private static Value RemoveIfTrivial(Value phi)
    {
        Value? same = null;
        foreach (var argument in phi.Args)
        {
            var operand = argument.Resolve();
            if (operand == same || operand == phi)
                continue;
            if (same != null)
                return phi;
            same = operand;
        }

        if (same is null)
            return phi;
        phi.Replacement = same;
        phi.Block!.Phis.Remove(phi);
        var users = (List<Value>)phi.Data!;
        if (same.Op == Op.Phi)
            ((List<Value>)same.Data!).AddRange(users);
        foreach (var user in users)
        {
            if (user != phi && user.Replacement is null && user.Args.Length > 0)
                RemoveIfTrivial(user);
        }

        return same.Resolve();
    }
}
