namespace Userfault.Capacity;

/// <summary>Pages of one 64-bit word, requested from a fetcher.</summary>
/// <param name="Word">The word.</param>
/// <param name="Mask">The pages of the word.</param>
/// <param name="Fetcher">The fetcher.</param>
/// <param name="IsDemand">Does a vCPU wait?</param>
internal record struct SweepRequest(long Word, ulong Mask, int Fetcher, bool IsDemand)
{
    /// <summary>Its current stage.</summary>
    public SweepStage Stage { get; set; }

    /// <summary>When it entered the stage, in ns.</summary>
    public long SinceNs { get; set; }

    /// <summary>Number of pages.</summary>
    public readonly int Pages => int.CreateChecked(ulong.PopCount(Mask));
}
