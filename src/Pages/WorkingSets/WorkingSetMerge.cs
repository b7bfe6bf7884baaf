namespace Userfault.Pages;

/// <summary>
/// Merges recordings of several guests of one image into one working set. Pure, and exact: it works on runs of pages,
/// and its result is that of each page alone.
/// <para>
/// Weight: what was merged before loses a part of its weight with each recording that follows, half of it in
/// <see cref="HalfLife"/> recordings. A recording adds <see cref="WorkingSetEntry.One"/> to each page that it holds. A
/// page below <see cref="MinWeight"/> falls out.
/// </para>
/// <para>
/// Order: not by weight, since what is wanted first must come first, however seldom. A page's rank is the mean of its
/// ranks in the recordings that hold it, by their weights. Pages whose ranks lie in the same
/// <see cref="PagesPerStep"/> travel in one request anyway: these are ordered by address, or the means of ranks that
/// differ a little would tear runs of neighbours apart.
/// </para>
/// </summary>
/// <param name="halfLife">Recordings in which a weight halves; <see cref="double.PositiveInfinity"/> for no
/// aging.</param>
public sealed class WorkingSetMerge(double halfLife = WorkingSetMerge.DefaultHalfLife)
{
    /// <summary>The half-life where none is given. A page that was wanted once falls out with the 13th after.</summary>
    public const double DefaultHalfLife = 4;

    /// <summary>The weight below which a page falls out: an eighth of a recording.</summary>
    public const ulong MinWeight = WorkingSetEntry.One / 8;

    /// <summary>Ranks that count as one moment.</summary>
    public const ulong PagesPerStep = 64;

    /// <summary>Pages of a set that is merged: 1 TiB, more than any guest is waited for.</summary>
    public const ulong MaxPages = 1 << 28;

    /// <summary>Recordings in which a weight halves.</summary>
    public double HalfLife => halfLife;

    /// <summary>Merges sets of one image.</summary>
    /// <param name="oldestFirst">The sets, at least one, the oldest first; each a recording, or merged before.</param>
    /// <exception cref="PagingException">They are of different images, or one is too large.</exception>
    public WorkingSet Of(IReadOnlyList<(string Name, WorkingSet Set)> oldestFirst)
    {
        ArgumentNullException.ThrowIfNull(oldestFirst);
        ArgumentOutOfRangeException.ThrowIfZero(oldestFirst.Count);
        var (name, merged) = oldestFirst[0];
        foreach (var (next, set) in oldestFirst)
        {
            set.RequireImage(next, merged.Image, merged.ImagePages, name);
            if (set.TouchedPages > MaxPages && oldestFirst.Count > 1)
            {
                throw new PagingException(
                    PagingError.BadSize,
                    next,
                    $"{set.TouchedPages} pages; at most {MaxPages} are merged",
                    "bound it alone first, with --limit"
                );
            }
        }

        return oldestFirst.Skip(1).Aggregate(merged, (older, newer) => Fold(older, newer.Set));
    }

    private WorkingSet Fold(WorkingSet older, WorkingSet newer)
    {
        var decay = Math.Pow(2, -newer.Recordings / halfLife);
        var aged = ByPage(older)
            .Select(entry =>
                entry with
                {
                    Weight = (ulong)((entry.Weight * decay) + 0.5),
                    Age = Sum(entry.Age, newer.Recordings),
                }
            );
        var joined = Join([.. aged], ByPage(newer)).Where(static entry => entry.Weight >= MinWeight);
        return new WorkingSet(
            newer.Image.IsProvisional ? older.Image : newer.Image,
            newer.ImagePages,
            InOrder(joined),
            Sum(older.Recordings, newer.Recordings),
            Sum(Math.Max(older.Generation, newer.Generation), 1)
        );
    }

    private static List<WorkingSetEntry> ByPage(WorkingSet set) =>
        [.. set.Entries.OrderBy(static entry => entry.Pages.Start.Value)];

    // Both ascend. What both hold is cut where one of them begins or ends.
    private static List<WorkingSetEntry> Join(List<WorkingSetEntry> older, List<WorkingSetEntry> newer)
    {
        var joined = new List<WorkingSetEntry>(older.Count + newer.Count);
        var (a, b) = (new Rest(older), new Rest(newer));
        while (!a.IsOver || !b.IsOver)
        {
            if (b.IsOver || (!a.IsOver && a.Start < b.Start))
            {
                joined.Add(a.Take(b.Start));
            }
            else if (a.IsOver || b.Start < a.Start)
            {
                joined.Add(b.Take(a.Start));
            }
            else
            {
                var end = Math.Min(a.End, b.End);
                joined.Add(Both(a.Take(end), b.Take(end)));
            }
        }

        return joined;
    }

    private static WorkingSetEntry Both(in WorkingSetEntry older, in WorkingSetEntry newer)
    {
        var weight = older.Weight + newer.Weight;
        var ranks = ((UInt128)older.Weight * older.Rank) + ((UInt128)newer.Weight * newer.Rank);
        return newer with
        {
            Rank = (ulong)((ranks + (weight / 2)) / weight),
            Weight = weight,
            Times = Sum(older.Times, newer.Times),
        };
    }

    // Cut at each step, since pages of several runs take turns; and put together again where nothing came between.
    private static List<WorkingSetEntry> InOrder(IEnumerable<WorkingSetEntry> entries)
    {
        var ordered = new List<WorkingSetEntry>();
        foreach (
            var entry in entries
                .SelectMany(Steps)
                .OrderBy(static entry => entry.Rank / PagesPerStep)
                .ThenBy(static entry => entry.Pages.Start.Value)
        )
        {
            if (ordered.Count > 0 && ordered[^1] is var last && last.GoesOnWith(entry))
                ordered[^1] = last with { Pages = last.Pages with { Count = last.Pages.Count + entry.Pages.Count } };
            else
                ordered.Add(entry);
        }

        return ordered;
    }

    private static IEnumerable<WorkingSetEntry> Steps(WorkingSetEntry entry)
    {
        while (!entry.Pages.IsEmpty)
        {
            var count = Math.Min(entry.Pages.Count, PagesPerStep - (entry.Rank % PagesPerStep));
            yield return entry.Part(0, count);
            entry = entry.Part(count, entry.Pages.Count - count);
        }
    }

    private static uint Sum(uint one, uint other) => (uint)Math.Min((ulong)one + other, uint.MaxValue);

    // What is left of entries in the order of their pages.
    private sealed class Rest(List<WorkingSetEntry> entries)
    {
        private int _at;
        private ulong _taken;

        public bool IsOver => _at == entries.Count;

        public ulong Start => IsOver ? ulong.MaxValue : entries[_at].Pages.Start.Value + _taken;

        public ulong End => entries[_at].Pages.End.Value;

        // Up to a page, or to the end of the entry.
        public WorkingSetEntry Take(ulong end)
        {
            var part = entries[_at].Part(_taken, Math.Min(End, end) - Start);
            _taken += part.Pages.Count;
            if (Start == End)
                (_at, _taken) = (_at + 1, 0);
            return part;
        }
    }
}
