namespace Userfault.Capacity;

/// <summary>Pages of one 64-bit word, asked of a fetcher.</summary>
/// <param name="Word">The word.</param>
/// <param name="Mask">Which of its pages.</param>
/// <param name="Fetcher">Who was asked.</param>
/// <param name="IsDemand">A vCPU waits.</param>
internal record struct SweepRequest(long Word, ulong Mask, int Fetcher, bool IsDemand)
{
    /// <summary>How far it has come.</summary>
    public SweepStage Stage { get; set; }

    /// <summary>When it came there, in ns.</summary>
    public long SinceNs { get; set; }

    /// <summary>Its pages.</summary>
    public readonly int Pages => int.CreateChecked(ulong.PopCount(Mask));
}
