namespace DeltaKV.Tokenization.Templates;

/// <summary>What a missing name gives: empty text, false, no items; anything more is an error that says what is missing.</summary>
internal sealed class Undefined(string description)
{
    internal TemplateFault Fault() => new($"{description}.");
}
