namespace Userfault.Pages;

/// <summary>
/// The pages that a guest touched, in the order of first touch, as runs of neighbours. Bound to the image it was
/// recorded on. Replayed as a push order, it brings pages before the guest asks for them.
/// </summary>
public sealed class WorkingSet
{
    /// <summary>A working set of the given runs, none of which share a page.</summary>
    public WorkingSet(ImageIdentity image, ulong imagePages, IReadOnlyList<MemoryPageRange> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        Image = image;
        ImagePages = imagePages;
        Runs = runs;
        foreach (var run in runs)
            TouchedPages += run.Count;
    }

    /// <summary>The image it was recorded on.</summary>
    public ImageIdentity Image { get; }

    /// <summary>Pages of that image.</summary>
    public ulong ImagePages { get; }

    /// <summary>The touched pages in order.</summary>
    public IReadOnlyList<MemoryPageRange> Runs { get; }

    /// <summary>How many pages were touched.</summary>
    public ulong TouchedPages { get; }
}
