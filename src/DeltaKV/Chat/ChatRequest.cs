using System.Text.Json.Nodes;
using DeltaKV.Engine;

namespace DeltaKV.Chat;

/// <summary>A request after its options have been checked.</summary>
/// <param name="Sampling">How to sample and when to stop.</param>
/// <param name="Tools">Tools as the template reads them, or null for none.</param>
/// <param name="Variables">More variables for the template.</param>
/// <param name="Instructions">A system text for this request only.</param>
/// <param name="ConversationId">The conversation it continues, if any.</param>
internal sealed record ChatRequest(
    SamplingOptions Sampling, JsonArray? Tools, IReadOnlyDictionary<string, JsonNode?> Variables, string? Instructions, string? ConversationId)
{
    /// <summary>Reasoning is generated, but not handed out.</summary>
    internal bool DropsReasoning { get; init; }
}
