namespace DeltaKV.Tokenization.Templates;

/// <summary>Jinja's <c>namespace()</c>: the one object a template may change, so that a loop can hand something out.</summary>
internal sealed class TemplateNamespace
{
    internal Dictionary<string, object?> Attributes { get; } = [];
}
