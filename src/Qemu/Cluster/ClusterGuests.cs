using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Guests that are restored from the sources of a cluster: one description, one table of digests, and contents for each
/// guest. To be disposed of after the connections behind the sources: their threads hold pages against the digests.
/// </summary>
public sealed class ClusterGuests : IDisposable
{
    // The engine's clock has to be looked at, too.
    private const int WarmPollMs = 5;

    private readonly GuestDescription _guest;
    private readonly SourceSet _pages;
    private readonly ClusterSettings _settings;
    private readonly ClusterDigests _digests;
    private readonly Lock _lock = new();
    private readonly List<ClusterContents> _contents = [];

    /// <summary>Begins to fetch the digests.</summary>
    /// <param name="guest">What a source has said of the guest.</param>
    /// <param name="name">How people call the image.</param>
    /// <param name="pages">Sources of its pages; not owned.</param>
    /// <param name="digests">Sources of its image's manifest; not owned.</param>
    /// <param name="settings">How they are asked.</param>
    /// <exception cref="PagingException">The machine does not give enough memory for the digests.</exception>
    public ClusterGuests(
        GuestDescription guest,
        string name,
        SourceSet pages,
        SourceSet digests,
        ClusterSettings settings
    )
    {
        ArgumentNullException.ThrowIfNull(guest);
        ArgumentNullException.ThrowIfNull(pages);
        ArgumentNullException.ThrowIfNull(digests);
        ArgumentNullException.ThrowIfNull(settings);
        (_guest, _pages, _settings) = (guest, pages, settings);
        _digests = new ClusterDigests(guest, digests, settings);
        Source = new GuestSource(guest.Stream, guest.Devices, Open) { Image = guest.Image, Name = name };
    }

    /// <summary>What guests are restored from.</summary>
    public GuestSource Source { get; }

    /// <summary>What the engines of all guests did so far.</summary>
    public FetchCounters Counters
    {
        get
        {
            lock (_lock)
                return _contents.Aggregate(default(FetchCounters), static (sum, one) => sum + one.Counters);
        }
    }

    /// <summary>Pages that came with another content than their digest says, and were fetched again.</summary>
    public long WrongPages
    {
        get
        {
            lock (_lock)
                return _contents.Sum(static one => one.WrongPages);
        }
    }

    /// <summary>
    /// Fetches a page as a guest does: what that takes is compiled, and sources are connected, before a guest waits.
    /// Where none answers in time, nothing is lost.
    /// </summary>
    /// <param name="patience">Longest wait.</param>
    public void Warm(TimeSpan patience)
    {
        var page = new MemoryPage(0);
        while (page.Value < _guest.Stream.Pages && _guest.IsZero(page))
            page = page.Plus(1);
        if (page.Value == _guest.Stream.Pages)
            return;
        using var contents = new ClusterContents(_guest, _pages, _digests, _settings);
        var arrival = new object();
        contents.WakeOn(() =>
        {
            lock (arrival)
                Monitor.Pulse(arrival);
        });
        var startedAt = _settings.Time.GetTimestamp();
        contents.IsHere(page, FetchPriority.Demand);
        lock (arrival)
        {
            while (!contents.TryTakeArrived(_settings.NowNs, out _))
            {
                if (_settings.Time.GetElapsedTime(startedAt) > patience)
                    return;
                Monitor.Wait(arrival, WarmPollMs);
            }
        }

        contents.Read(page);
    }

    /// <inheritdoc/>
    public void Dispose() => _digests.Dispose();

    private ClusterContents Open()
    {
        var contents = new ClusterContents(_guest, _pages, _digests, _settings);
        lock (_lock)
            _contents.Add(contents);
        return contents;
    }
}
