using System.Globalization;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Which layers something is done to: those that are named, or as many as calibration finds.</summary>
/// <param name="Layers">The layers; empty when they are to be found.</param>
/// <param name="Count">How many to find, layer 0 included; -1: as many as it takes.</param>
/// <param name="IsAutomatic">Whether they are to be found.</param>
internal sealed record LayerSet(IReadOnlyList<int> Layers, int Count = -1, bool IsAutomatic = false)
{
    /// <summary>No layers.</summary>
    public static LayerSet None { get; } = new([]);

    /// <summary>Those that calibration finds.</summary>
    public static LayerSet Automatic { get; } = new([], IsAutomatic: true);

    /// <summary>Reads <c>none</c>, <c>auto</c>, <c>auto:4</c> or <c>0+1+8</c>.</summary>
    /// <exception cref="ArgumentException">It has another form.</exception>
    public static LayerSet Parse(string text, string name)
    {
        const string automatic = "auto";
        if (text is "none")
            return None;
        if (text is automatic)
            return Automatic;
        if (text.StartsWith(automatic + ":", StringComparison.Ordinal) && Number(text[(automatic.Length + 1)..]) is > 0 and var count)
            return Automatic with { Count = count };
        var layers = text.Split('+').Select(Number).ToArray();
        return layers.All(layer => layer >= 0)
            ? new LayerSet([.. layers.Distinct().Order()])
            : throw new ArgumentException($"{name} is '{text}', expected none, auto, auto:N or layers as 0+1+8.");
    }

    /// <summary>Refuses layers that a model does not have.</summary>
    public void Validate(int layerCount, string name)
    {
        if (Layers.Count > 0 && Layers[^1] >= layerCount)
            throw new ArgumentException($"{name} names layer {Layers[^1]}; the model has layers 0 to {layerCount - 1}.");
        if (Count > layerCount)
            throw new ArgumentException($"{name} asks for {Count} layers; the model has {layerCount}.");
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : -1;
}
