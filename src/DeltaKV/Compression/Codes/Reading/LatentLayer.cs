namespace DeltaKV.Compression.Codes.Reading;

/// <summary>What the launch of a coded layer's read depends on.</summary>
/// <param name="IsSupported">Whether <see cref="LatentDecode"/> can read it at all.</param>
/// <param name="Pieces">Most 16-byte pieces of a record that a head reads.</param>
/// <param name="KeySteps">Most sixteens of dimensions of a head's keys.</param>
/// <param name="ValueSteps">Most sixteens of dimensions of a head's values.</param>
/// <param name="Neighbours">References per token.</param>
/// <param name="Heads">Key heads that keep history.</param>
/// <param name="IsFolded">Steps are folded into the matrices and all offsets are integers.</param>
internal readonly record struct LatentLayer(bool IsSupported, int Pieces, int KeySteps, int ValueSteps, int Neighbours, int Heads, bool IsFolded);
