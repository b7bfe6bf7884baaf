namespace Userfault.Pages;

/// <summary>
/// The pages that a guest touched, in the order of first touch, and how often, where several recordings were merged.
/// Bound to the image that they were recorded on. Replayed as a push order, it brings pages before the guest asks for
/// them. Immutable.
/// </summary>
public sealed class WorkingSet
{
    /// <summary>One recording: these runs in this order, none of which share a page.</summary>
    public WorkingSet(ImageIdentity image, ulong imagePages, IReadOnlyList<MemoryPageRange> runs)
        : this(image, imagePages, Recorded(runs)) { }

    /// <summary>A set of the given entries in the order of their replay, none of which share a page.</summary>
    /// <param name="image">The image.</param>
    /// <param name="imagePages">Its pages.</param>
    /// <param name="entries">The pages.</param>
    /// <param name="recordings">Recordings that were merged; 1 for one that was not.</param>
    /// <param name="generation">Merges that led to it; 0 for a recording.</param>
    public WorkingSet(
        ImageIdentity image,
        ulong imagePages,
        IReadOnlyList<WorkingSetEntry> entries,
        uint recordings = 1,
        uint generation = 0
    )
    {
        ArgumentNullException.ThrowIfNull(entries);
        (Image, ImagePages, Entries, Recordings, Generation) = (image, imagePages, entries, recordings, generation);
        var runs = new List<MemoryPageRange>(entries.Count);
        foreach (var entry in entries)
        {
            TouchedPages += entry.Pages.Count;
            if (runs.Count > 0 && runs[^1].End == entry.Pages.Start)
                runs[^1] = runs[^1] with { Count = runs[^1].Count + entry.Pages.Count };
            else
                runs.Add(entry.Pages);
        }

        Runs = runs;
    }

    /// <summary>The image that it was recorded on.</summary>
    public ImageIdentity Image { get; }

    /// <summary>Pages of that image.</summary>
    public ulong ImagePages { get; }

    /// <summary>The pages in the order of their replay, and how often they were wanted.</summary>
    public IReadOnlyList<WorkingSetEntry> Entries { get; }

    /// <summary>The pages alone, as runs of neighbours, in the order of their replay.</summary>
    public IReadOnlyList<MemoryPageRange> Runs { get; }

    /// <summary>Recordings that were merged, those among them of which no page is left.</summary>
    public uint Recordings { get; }

    /// <summary>Merges that led to it; 0 for a recording. Of two states of one set the later one has more.</summary>
    public uint Generation { get; }

    /// <summary>Number of pages.</summary>
    public ulong TouchedPages { get; }

    /// <summary>
    /// At most so many of its pages: those wanted most, and among equals those wanted first. They keep their order.
    /// </summary>
    /// <param name="maxPages">The limit.</param>
    public WorkingSet Limit(ulong maxPages)
    {
        if (TouchedPages <= maxPages)
            return this;
        var left = new ulong[Entries.Count];
        foreach (
            var i in Enumerable
                .Range(0, Entries.Count)
                .OrderByDescending(i => Entries[i].Weight)
                .ThenBy(i => Entries[i].Rank)
        )
        {
            left[i] = Math.Min(Entries[i].Pages.Count, maxPages);
            maxPages -= left[i];
        }

        var kept = Entries.Select((entry, i) => entry.Part(0, left[i])).Where(static entry => !entry.Pages.IsEmpty);
        return new WorkingSet(Image, ImagePages, [.. kept], Recordings, Generation);
    }

    /// <summary>Refuses a set of another image.</summary>
    /// <param name="name">The set's name, for the message.</param>
    /// <param name="image">The image that is to be served.</param>
    /// <param name="imagePages">Its pages.</param>
    /// <param name="imageName">Its name, for the message.</param>
    /// <exception cref="PagingException">It was recorded on another image.</exception>
    public void RequireImage(string name, ImageIdentity image, ulong imagePages, string imageName)
    {
        // Which pages a guest touched does not hang on every byte of them.
        if (Image.IsSameSample(image) && ImagePages == imagePages)
            return;
        throw new PagingException(
            PagingError.ForeignImage,
            name,
            $"recorded on image {Image.Short}, not on {image.Short} ({imageName})",
            WorkingSetFormat.Mend
        );
    }

    private static List<WorkingSetEntry> Recorded(IReadOnlyList<MemoryPageRange> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var entries = new List<WorkingSetEntry>(runs.Count);
        ulong rank = 0;
        foreach (var run in runs)
        {
            entries.Add(new WorkingSetEntry(run, rank, WorkingSetEntry.One, Times: 1, Age: 0));
            rank += run.Count;
        }

        return entries;
    }
}
