using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>Runs a kernel's IL symbolically and leaves SSA behind: calls inlined, structs in scalars, marked loops unrolled.</summary>
/// <remarks>
/// Unrolling needs no pass of its own: a marked loop's blocks are simply translated again for every iteration, and constants that
/// flow around it decide when it ends.
/// </remarks>
internal sealed partial class Translator
{
    private const int MostIterations = 4096;
    private readonly SsaVariables ssa;
    private readonly IrBuilder builder;
    private readonly HashSet<string> memoryArrays;
    private readonly Dictionary<(int, int), Value> places = [];
    private List<StackItem> stack = [];
    private Frame frame = null!;
    private IlBlock? position;
    private bool testsUnrolling;

    public Translator(Function function, CompileOptions options, HashSet<string> memoryArrays)
    {
        Function = function;
        Options = options;
        this.memoryArrays = memoryArrays;
        ssa = new SsaVariables(function);
        builder = new IrBuilder(function);
    }

    public Function Function { get; }

    public CompileOptions Options { get; }

    public IrBuilder Builder => builder;

    /// <summary>The shared memory of each call site.</summary>
    public Dictionary<string, MemoryVariable> SharedSites { get; } = [];

    /// <summary>Stops with the reason and the place in the C# source being translated.</summary>
    public KernelCompileException Refuse(string reason) => SourceOf.Failure(reason, builder.Location);

    /// <summary>Translates a kernel whose arguments are the given values.</summary>
    public void Kernel(IlMethod il, StackItem?[] arguments, Block start)
    {
        builder.Block = start;
        builder.Location = new Location(null, 0);
        var end = Function.NewBlock();
        Run(il, arguments, end);
        ssa.Seal(end);
    }

    /// <summary>Continues in the callee's body; afterwards its result stands on the stack.</summary>
    public void Inline(IlMethod il, StackItem?[] arguments, Type? result)
    {
        if (frame.Runs(il))
            throw Refuse($"{KernelCompileException.Describe(il.Method)} calls itself; kernels inline every call, so recursion is not possible. Write a loop.");
        var (outerFrame, outerStack, outerPosition) = (frame, stack, position);
        var location = builder.Location;
        stack = [];
        var end = Function.NewBlock();
        var callee = Run(il, arguments, end);
        (frame, stack, position) = (outerFrame, outerStack, outerPosition);
        builder.Location = location;
        ssa.Seal(end);
        builder.Block = Continue(end);
        if (result is not null && result != typeof(void))
            stack.Add(ReadVariable(callee.Result!));
    }

    private Frame Run(IlMethod il, StackItem?[] arguments, Block end)
    {
        if (il.Flow is null)
            throw Refuse($"{KernelCompileException.Describe(il.Method)} has a try block; kernels have no exceptions.");
        var callee = new Frame(il, frame, builder.Location.Offset) { Return = end };
        if (frame is not null)
            callee.Path = $"{frame.Path}/{builder.Location.Offset}.{frame.CountCall(builder.Location.Offset)}";
        callee.Arguments = new Variable[il.Arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] is not { } argument)
                continue;
            if (argument.Constant is { } constant)
            {
                callee.Constants[i] = constant;
                continue;
            }

            callee.Arguments[i] = ssa.Create(TypeLayout.Of(il.Arguments[i]));
            WriteVariable(callee.Arguments[i], argument);
        }

        frame = callee;
        callee.Locals = new Variable[il.Locals.Length];
        if (il.Method is System.Reflection.MethodInfo { ReturnType: var type } && type != typeof(void))
            callee.Result = ssa.Create(TypeLayout.Of(type));
        if (il.Flow.Irreducible is { } irreducible)
        {
            builder.Location = new Location(callee, il.Code[irreducible.Start].Offset);
            throw Refuse("A jump goes into the middle of a loop.");
        }

        callee.Start = builder.Block;
        var entry = il.Flow.Entry;
        if (il.Flow.Loops.ContainsKey(entry))
        {
            var start = Function.NewBlock();
            builder.Block.JumpTo(start);
            callee.Blocks[entry.Order] = start;
        }
        else
        {
            callee.Blocks[entry.Order] = builder.Block;
        }

        ProcessBlocks(il.Flow.Blocks, null);
        return callee;
    }

    private void ProcessBlocks(IReadOnlyList<IlBlock> blocks, IlLoop? unrolling)
    {
        var flow = frame.Il.Flow!;
        HashSet<IlBlock>? done = null;
        foreach (var block in blocks)
        {
            if (done is null || !done.Contains(block))
            {
                if (flow.Loops.TryGetValue(block, out var loop) && loop.MustUnroll && loop != unrolling)
                {
                    Unroll(loop);
                    (done ??= []).UnionWith(loop.Blocks);
                }
                else
                {
                    Process(block, isOpenLoop: loop is { MustUnroll: false });
                }
            }

            SealLoopsEndingAt(block, unrolling);
        }
    }

    private void SealLoopsEndingAt(IlBlock block, IlLoop? unrolling)
    {
        foreach (var loop in frame.Il.Flow!.Loops.Values)
        {
            if (loop.LastLatch != block || loop.MustUnroll || frame.Blocks[loop.Header.Order] is not { IsSealed: false } header)
                continue;
            var around = loop.Parent;
            while (around is { MustUnroll: false })
                around = around.Parent;
            if (around == unrolling)
                Guarded(() => ssa.Seal(header));
        }
    }

    private void Unroll(IlLoop loop)
    {
        var current = frame.Blocks[loop.Header.Order];
        var blocks = loop.Blocks.OrderBy(static block => block.Order).ToArray();
        for (var iteration = 0; current is not null; iteration++)
        {
            if (iteration > MostIterations)
                throw Refuse($"Unroll.Full: the loop runs more than {MostIterations} times.");
            foreach (var block in blocks)
                frame.Blocks[block.Order] = null;
            frame.Blocks[loop.Header.Order] = current;
            frame.Unrolling[loop] = null;
            ProcessBlocks(blocks, loop);
            current = frame.Unrolling[loop];
        }

        frame.Unrolling.Remove(loop);
    }

    private void Process(IlBlock block, bool isOpenLoop)
    {
        if (frame.Blocks[block.Order] is not { } target)
            return;
        position = block;
        testsUnrolling = false;
        builder.Location = new Location(frame, frame.Il.Code[block.Start].Offset);
        if (isOpenLoop)
        {
            builder.Block = target;
        }
        else if (target != builder.Block)
        {
            if (!target.IsSealed)
                Guarded(() => ssa.Seal(target));
            builder.Block = Continue(target);
        }

        Guarded(() =>
        {
            RestoreStack(block);
            Execute(block);
        });
    }

    /// <summary>Reports what the passes underneath refuse with the place in the source.</summary>
    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (NotSupportedException exception)
        {
            throw Refuse(exception.Message);
        }
        catch (Exception exception) when (exception is not (KernelCompileException or RegisterArrayException or InsufficientExecutionStackException))
        {
            throw SourceOf.Failure($"The compiler itself failed ({exception.GetType().Name}: {exception.Message}); please report it.", builder.Location, exception);
        }
    }

    /// <summary>The block itself, or the one before when nothing else leads here: straight-line code stays in one block.</summary>
    private static Block Continue(Block block)
    {
        if (block.Predecessors is not [{ Successors: [_] } before])
            return block;
        before.Successors.Clear();
        block.Predecessors.Clear();
        return before;
    }

    private void Execute(IlBlock block)
    {
        var code = frame.Il.Code;
        for (var i = block.Start; i < block.End; i++)
        {
            ref readonly var instruction = ref code[i];
            builder.Location = new Location(frame, instruction.Offset);
            if (instruction.EndsBlock)
            {
                Leave(block, instruction);
                return;
            }

            Step(instruction, i + 1 < block.End ? code[i + 1].Op : IlOp.Nop);
        }

        Jump(block.Successors[0]);
    }

    private void Leave(IlBlock block, in IlInstruction instruction)
    {
        switch (instruction.Op)
        {
            case IlOp.Br:
                Jump(block.Successors[0]);
                break;
            case IlOp.Ret:
                if (frame.Result is { } result)
                    WriteVariable(result, Pop());
                builder.Block.JumpTo(frame.Return!);
                break;
            case IlOp.Switch:
                Switch(block);
                break;
            case IlOp.Throw:
                throw Refuse("throw: kernels have no exceptions. Debug.Assert traps when its condition fails.");
            case IlOp.Leave or IlOp.Jmp:
                throw Refuse($"{instruction.Op} is not something a kernel can do.");
            default:
                Branch(block, Test(instruction.Op));
                break;
        }
    }

    private void Branch(IlBlock block, Value test)
    {
        var (whenTrue, whenFalse) = (block.Successors[0], block.Successors[1]);
        if (test.IsConst || whenTrue == whenFalse)
        {
            Jump(test.IsConst && test.Imm == 0 ? whenFalse : whenTrue);
            return;
        }

        if (testsUnrolling && block.Loop is { MustUnroll: true })
            throw Refuse("Unroll.Full: the trip count of the loop is not a compile-time constant.");
        SaveStack(whenTrue);
        SaveStack(whenFalse);
        builder.Block.Test = test;
        builder.Block.TestLocation = builder.Location;
        var (from, first) = (builder.Block, TargetOf(whenTrue));
        from.JumpTo(first);
        from.JumpTo(TargetOf(whenFalse));
    }

    private void Switch(IlBlock block)
    {
        var selector = Pop().Scalar;
        var cases = block.Successors.Count - 1;
        if (selector.IsConst)
        {
            Jump(block.Successors[(uint)selector.Imm < cases ? (int)selector.Imm : cases]);
            return;
        }

        for (var i = 0; i < cases; i++)
        {
            SaveStack(block.Successors[i]);
            var from = builder.Block;
            from.Test = builder.Compare(Condition.Equal, selector, builder.Int(i));
            from.TestLocation = builder.Location;
            var next = Function.NewBlock();
            from.JumpTo(TargetOf(block.Successors[i]));
            from.JumpTo(next);
            ssa.Seal(next);
            builder.Block = next;
        }

        Jump(block.Successors[cases]);
    }

    private void Jump(IlBlock target)
    {
        SaveStack(target);
        builder.Block.JumpTo(TargetOf(target));
    }

    private Block TargetOf(IlBlock target)
    {
        if (frame.Il.Flow!.Loops.TryGetValue(target, out var loop) && frame.Unrolling.TryGetValue(loop, out var next))
            return frame.Unrolling[loop] = next ?? Function.NewBlock();
        return frame.Blocks[target.Order] ??= Function.NewBlock();
    }
}
