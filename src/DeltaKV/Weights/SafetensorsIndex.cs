namespace DeltaKV.Weights;

/// <summary>Reads <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal static class SafetensorsIndex
{
    internal const string FileName = "model.safetensors.index.json";

    /// <summary>Returns tensor name -> shard file name; every shard name is a plain file name inside the model directory.</summary>
    internal static Dictionary<string, string> Read(string path)
    {
        using var document = JsonFields.Load(path);
        var root = new JsonFields(document.RootElement, path);
        var map = root.Object("weight_map") ?? throw new ModelFormatException(path, "weight_map is missing");
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in map.Element.EnumerateObject())
        {
            var shard = JsonFields.Text(property.Value)
                ?? throw new ModelFormatException(path, property.Name, "the shard name in weight_map is not a string");
            CheckShardName(path, property.Name, shard);
            shards.Add(property.Name, shard);
        }
        if (shards.Count == 0)
            throw new ModelFormatException(path, "weight_map is empty");
        return shards;
    }

    private static void CheckShardName(string path, string tensor, string shard)
    {
        // Backslashes and colons are separators on one system and legal names on another; a shard name needs neither.
        var leaves = shard.AsSpan().ContainsAny("/\\:\0") || shard is "" or "." or "..";
        if (leaves || !shard.EndsWith(".safetensors", StringComparison.Ordinal))
            throw new ModelFormatException(path, tensor, $"the shard name '{shard}' is not a plain '*.safetensors' file name in the model directory");
    }
}
