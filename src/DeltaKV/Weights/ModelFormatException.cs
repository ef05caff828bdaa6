namespace DeltaKV.Weights;

/// <summary>A model file is missing, corrupt, truncated, hostile, or describes something this engine does not run.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Creates the exception for a file, without a tensor.</summary>
    public ModelFormatException(string file, string reason, Exception? innerException = null)
        : this(file, null, reason, innerException)
    {
    }

    /// <summary>Creates the exception for one tensor of a file.</summary>
    public ModelFormatException(string file, string? tensor, string reason, Exception? innerException = null)
        : base(tensor is null ? $"{file}: {reason}" : $"{file}: tensor '{tensor}': {reason}", innerException)
    {
        File = file;
        Tensor = tensor;
        Reason = reason;
    }

    /// <summary>Path of the file that was read.</summary>
    public string File { get; }

    /// <summary>Name of the tensor at fault, or null when the file as a whole is.</summary>
    public string? Tensor { get; }

    /// <summary>What was found, what was expected, and what to do.</summary>
    public string Reason { get; }
}
