namespace DeltaKV.Cache;

/// <summary>Owner of all key/value memory. Scheduling sees only this; where tokens live and in what form is the implementation's business.</summary>
/// <remarks>Used by the engine thread alone.</remarks>
internal interface IKvCache
{
    /// <summary>The most tokens that one sequence can hold when it is alone.</summary>
    int CapacityTokens { get; }

    /// <summary>Bytes held by running sequences; blocks kept only for reuse are free memory and do not count.</summary>
    KvUsage Usage { get; }

    /// <summary>The cache of a new sequence, empty and without memory.</summary>
    ISequenceCache Open();

    /// <summary>
    /// Called once after every step, when all its sequences are committed: what has left the uncompressed window of any sequence moves to
    /// its compressed pools here, in one launch for all of them. Returns whether memory became free.
    /// </summary>
    bool Flush();
}
