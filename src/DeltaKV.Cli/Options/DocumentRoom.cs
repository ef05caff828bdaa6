using DeltaKV.Weights;

namespace DeltaKV.Cli.Options;

/// <summary>What a document takes of a model's positions, where no <c>--context</c> is asked for.</summary>
internal static class DocumentRoom
{
    /// <summary>The tokens of a document with its questions and answers, if the model has as many positions.</summary>
    /// <param name="directory">The model.</param>
    /// <param name="option">Where the length was said.</param>
    /// <param name="length">Tokens of the document.</param>
    /// <param name="room">With its questions and answers.</param>
    /// <exception cref="UsageException">It has fewer.</exception>
    internal static int Checked(string directory, string option, int length, int room) => ModelConfig.Load(directory).MaxPositions is var positions && room <= positions
        ? room
        : throw new UsageException($"{option} is {length}: with questions and answers a document takes up to {room} tokens, but the model was made for {positions} positions.");
}
