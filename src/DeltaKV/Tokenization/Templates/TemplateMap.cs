namespace DeltaKV.Tokenization.Templates;

/// <summary>A Python dictionary with string keys, in the order they were added.</summary>
internal sealed class TemplateMap : OrderedDictionary<string, object?>;
