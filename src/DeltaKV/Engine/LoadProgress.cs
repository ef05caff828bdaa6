namespace DeltaKV.Engine;

/// <summary>How far loading a model is.</summary>
/// <param name="Stage">What is being done, for display.</param>
/// <param name="LoadedBytes">Weights on the device so far.</param>
/// <param name="TotalBytes">All weights.</param>
/// <param name="Plan">What goes where; known from the first report on.</param>
public sealed record LoadProgress(string Stage, long LoadedBytes, long TotalBytes, MemoryPlan Plan)
{
    /// <summary>0 to 1.</summary>
    public double Fraction => TotalBytes == 0 ? 0 : (double)LoadedBytes / TotalBytes;
}
