using System.Reflection;
using System.Runtime.CompilerServices;
using DeltaKV.Gpu.Compiler.Frontend.Intrinsics;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ptx;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <content>Calls: intrinsics, inline PTX, and everything else inlined.</content>
internal sealed partial class Translator
{
    /// <summary>Called by <c>Unroll.Full</c>: the loop around this block must end at compile time.</summary>
    public void MarkUnrolling()
    {
        if (position!.Loop is null)
            throw Refuse("Unroll.Full stands outside a loop; write it in the loop's condition: for (var i = 0; i < Unroll.Full(8); i++).");
        testsUnrolling = true;
    }

    /// <summary>Inlines a method of the compiler's own library and gives its result.</summary>
    public StackItem CallLibrary(MethodInfo method, params ReadOnlySpan<StackItem> arguments)
    {
        var items = new StackItem?[arguments.Length];
        for (var i = 0; i < items.Length; i++)
            items[i] = arguments[i];
        Inline(IlMethod.Of(method)!, items, method.ReturnType);
        return Pop();
    }

    /// <summary>Names this call site of shared memory: the calls that led here, whatever loop repeats them.</summary>
    public string CallSite()
    {
        var name = $"{builder.Location.Offset}";
        for (var around = frame; around.Caller is not null; around = around.Caller)
            name = $"{around.CallOffset}/{name}";
        return name;
    }

    private void Call(in IlInstruction instruction)
    {
        var method = (MethodBase)instruction.Target!;
        if (instruction.Constraint is { } constraint)
            method = Devirtualizer.Resolve(method, constraint);
        var target = CallTarget.Of(method);
        var isNew = instruction.Op == IlOp.NewObject;
        var hasThis = target.HasThis && !isNew;
        var arguments = new StackItem[target.Parameters.Length + (target.HasThis ? 1 : 0)];
        for (var i = arguments.Length - 1; i >= (isNew ? 1 : 0); i--)
            arguments[i] = Pop();
        if (isNew)
        {
            Construct(target, arguments);
            return;
        }

        if (target.Template is { } template)
        {
            if (template.HintSince == 0 || PtxTarget.IsAtLeast(Options.Target, template.HintSince))
                PushResult(PtxIntrinsics.Expand(this, target, template, arguments));
            return;
        }

        if (target.Emit is { } emit && emit(this, target, arguments) is { } result)
        {
            PushResult(result);
            return;
        }

        if (hasThis && arguments[0].Constant is LambdaTarget lambda && method.Name == "Invoke")
        {
            arguments[0] = StackItem.Known(Absent.Instance);
            InlineCall(CallTarget.Of(lambda.Method), lambda.Method.IsStatic ? arguments[1..] : arguments);
            return;
        }

        InlineCall(target, arguments);
    }

    private void PushResult(StackItem result)
    {
        if (!result.IsNothing)
            Push(result);
    }

    private void InlineCall(CallTarget target, StackItem[] arguments)
    {
        var described = KernelCompileException.Describe(target.Method);
        if (Array.Find(arguments, static argument => argument.Constant is BoxedValue).Constant is BoxedValue boxed)
            throw Refuse($"{boxed.Type.Name} is boxed to call {described}: kernels have no objects. A generic constraint (where T : struct, IShape) avoids it.");
        if (target.HasThis && !target.Method.DeclaringType!.IsValueType && arguments[0].Constant is not Absent)
            throw Refuse($"{described} is called on an object; kernels have no objects, only structs.");
        if (IlMethod.Of(target.Method) is not { } il || target.Method.IsAbstract)
            throw Refuse($"{described} has no C# body that could be inlined. See docs/kernels.md for the members kernels can call.");
        if (il.IsKernelOnly)
            throw Refuse($"{described} is not available for target {Options.Target}.");
        Inline(il, Array.ConvertAll<StackItem, StackItem?>(arguments, static argument => argument), target.Result);
    }

    private void Construct(CallTarget target, StackItem[] arguments)
    {
        var type = target.Method.DeclaringType!;
        if (type.IsSubclassOf(typeof(Delegate)) && arguments[2].Constant is MethodBase lambda)
        {
            Push(StackItem.Known(new LambdaTarget(lambda)));
            return;
        }

        if (!type.IsValueType)
            throw Refuse($"new {type.Name}(): kernels have no objects. Use a struct.");
        var layout = TypeLayout.Of(type);
        var place = PlaceOf(NewVariable(layout), 0);
        arguments[0] = place;
        InlineCall(target, arguments);
        Push(Load(place, layout));
    }

    /// <summary>Boxing is a detour that generic code takes between types that are the same; anything else is refused.</summary>
    private void Box(in IlInstruction instruction)
    {
        var item = Pop();
        var type = (Type)instruction.Target!;
        if (instruction.Op == IlOp.Box && type.IsValueType)
            Push(StackItem.Known(new BoxedValue(type, item)));
        else if (item.Constant is BoxedValue boxed && instruction.Op == IlOp.IsInstance)
            Push(boxed.Type == type ? item : StackItem.Known(Absent.Instance));
        else if (item.Constant is BoxedValue same && same.Type == type)
            Push(same.Item);
        else
            throw Refuse(Refusal.Of(instruction));
    }

    private bool Delegates(in IlInstruction instruction)
    {
        switch (instruction.Op)
        {
            case IlOp.LdFunction:
                Push(StackItem.Known(instruction.Target!));
                return true;
            case IlOp.LdStaticField when IsLambdaCache((FieldInfo)instruction.Target!):
                Push(StackItem.Known(Absent.Instance));
                return true;
            case IlOp.StStaticField when IsLambdaCache((FieldInfo)instruction.Target!):
                Pop();
                return true;
            default:
                return false;
        }
    }

    private static bool IsLambdaCache(FieldInfo field) =>
        field.DeclaringType!.IsDefined(typeof(CompilerGeneratedAttribute), false) && !field.FieldType.IsValueType;
}
