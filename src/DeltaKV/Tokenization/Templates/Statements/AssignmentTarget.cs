using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary>What a <c>set</c> or <c>for</c> assigns to.</summary>
internal abstract class AssignmentTarget
{
    internal abstract void Assign(TemplateScope scope, object? value);
}

internal sealed class NameTarget(string name) : AssignmentTarget
{
    internal override void Assign(TemplateScope scope, object? value) => scope.Set(name, value);
}

/// <summary><c>space.name</c>, where <c>space</c> is a namespace.</summary>
internal sealed class NamespaceTarget(string space, string name) : AssignmentTarget
{
    internal override void Assign(TemplateScope scope, object? value)
    {
        if (scope.Get(space) is not TemplateNamespace target)
            throw new TemplateFault($"cannot set '{space}.{name}': '{space}' is not a namespace.");
        target.Attributes[name] = value;
    }
}

/// <summary><c>a, b</c>.</summary>
internal sealed class TupleTarget(IReadOnlyList<AssignmentTarget> targets) : AssignmentTarget
{
    internal override void Assign(TemplateScope scope, object? value)
    {
        var items = PythonValue.Iterate(value);
        if (items.Count != targets.Count)
            throw new TemplateFault($"cannot unpack {items.Count} values into {targets.Count} names.");
        for (var i = 0; i < items.Count; i++)
            targets[i].Assign(scope, items[i]);
    }
}
