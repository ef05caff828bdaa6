using System.Text.Json;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Evaluation;

namespace DeltaKV.Compression.CompressKv;

/// <summary>What CompressKV must know of a model: its semantic retrieval heads and how much every layer suffers from eviction.</summary>
internal sealed record CompressKvProfile
{
    /// <summary>The name under which it lies beside a model's weights.</summary>
    public const string FileName = "compresskv.json";

    private const int CurrentVersion = 1;
    private const int MostHeads = 4;

    /// <summary>Version of the file's form.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>The model it belongs to.</summary>
    public required ModelFingerprint Model { get; init; }

    /// <summary>One per layer of the model.</summary>
    public required IReadOnlyList<CompressKvLayer> Layers { get; init; }

    /// <summary>For people: how it was calibrated, and on what.</summary>
    public string Report { get; init; } = "";

    /// <summary>How many of a layer's query heads choose: four, as published, but at most the best third of few.</summary>
    public static int HeadsOf(int queryHeads) => Math.Clamp(queryHeads / 3, 1, MostHeads);

    /// <summary>Tokens per layer when layers keep <paramref name="perLayer"/> tokens on average, and none more than there are.</summary>
    public int[] Budgets(int perLayer, int promptTokens = int.MaxValue) => LayerBudgets.Distribute([.. Layers.Select(layer => layer.Error)], perLayer, promptTokens);

    /// <summary>Refuses another model, naming both.</summary>
    /// <exception cref="CodecMismatchException">It was calibrated for a different model.</exception>
    public void RequireModel(ModelFingerprint model)
    {
        if (model != Model)
        {
            throw new CodecMismatchException(
                $"The CompressKV profile was calibrated for {Model}; the model is {model}. Make one with 'deltakv calibrate --method compresskv --model DIR'.");
        }
    }

    /// <summary>Writes it.</summary>
    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, EvaluationJson.Indented) + "\n");

    /// <summary>Reads one.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="CodecMismatchException">The file is none, of another version, or contradicts itself.</exception>
    public static CompressKvProfile Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(
                $"CompressKV needs the model's retrieval heads and {path} does not exist. Make it with 'deltakv calibrate --method compresskv --model DIR'.", path);
        }

        try
        {
            var profile = JsonSerializer.Deserialize<CompressKvProfile>(File.ReadAllText(path), EvaluationJson.Line)!;
            profile.Validate();
            return profile;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NullReferenceException)
        {
            throw new CodecMismatchException($"{path} cannot be read as a CompressKV profile: {e.Message} Calibrate again.", e);
        }
    }

    private void Validate()
    {
        if (Version != CurrentVersion)
            throw new ArgumentException($"It has version {Version}; this program reads version {CurrentVersion}.");
        if (Layers.Count != Model.Layers)
            throw new ArgumentException($"It has {Layers.Count} layers for a model of {Model.Layers}.");
        for (var i = 0; i < Layers.Count; i++)
        {
            var (heads, scores, error) = Layers[i];
            if (heads.Count == 0 || heads.Any(head => head < 0 || head >= scores.Count) || !double.IsFinite(error) || error < 0)
                throw new ArgumentException($"Layer {i} names heads {string.Join(", ", heads)} of {scores.Count}, with error {error}.");
        }
    }
}
