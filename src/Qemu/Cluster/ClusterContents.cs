using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Contents of one guest's pages from the sources of a cluster, by the fetch engine (<see cref="Fetches"/>) on the
/// thread of the guest's session. Each page that comes is held against its digest on the thread that received it; what
/// is wrong never gets here, and the engine asks another source. Pages stay in the memory that they were received into
/// until they are read.
/// </summary>
internal sealed unsafe class ClusterContents : IPageContents
{
    private readonly GuestDescription _guest;
    private readonly ClusterDigests _digests;
    private readonly ClusterSettings _settings;
    private readonly Fetches _fetches;
    private readonly ArrivalWatch _watch;
    private readonly PagesByDigest _waiting;
    private readonly HeldPages _held = new();
    private readonly Queue<MemoryPage> _arrived = new();
    private Action _wake = static () => { };
    private int _seenVersion;
    private bool _hasArrived;
    private long _lookedAtNs;
    private long _wrongPages;

    /// <summary>Contents for one guest.</summary>
    /// <param name="guest">The guest.</param>
    /// <param name="sources">Sources of its pages; not owned.</param>
    /// <param name="digests">What they must be; not owned.</param>
    /// <param name="settings">How they are asked.</param>
    public ClusterContents(GuestDescription guest, SourceSet sources, ClusterDigests digests, ClusterSettings settings)
    {
        (_guest, _digests, _settings) = (guest, digests, settings);
        _watch = new ArrivalWatch(settings.PatienceNs);
        _waiting = new PagesByDigest(digests);
        _fetches = new Fetches(sources, settings.Fetch, Wake)
        {
            Check = Check,
            GaveUp = (source, loss) => settings.Log($"{source.Name} is not asked for pages any more: {loss}"),
        };
        digests.Follow(Wake);
    }

    /// <summary>What the engine did so far.</summary>
    public FetchCounters Counters => _fetches.Counters;

    /// <summary>Pages that came with another content than their digest says.</summary>
    public long WrongPages => Interlocked.Read(ref _wrongPages);

    /// <inheritdoc/>
    public ulong ContentPages => _guest.ContentPages;

    /// <inheritdoc/>
    public string? Problem { get; private set; }

    /// <inheritdoc/>
    public long NextArrivalNs =>
        _fetches.IsWanted ? _lookedAtNs
        : _fetches.NeedsTicks ? _lookedAtNs + _settings.Fetch.TickNs
        : long.MaxValue;

    /// <inheritdoc/>
    public bool IsZero(MemoryPage page) => _guest.IsZero(page);

    /// <inheritdoc/>
    public bool IsHere(MemoryPage page, FetchPriority priority)
    {
        if (_guest.IsZero(page) || _held.Has(page))
            return true;
        if (_digests.Has(page))
            _fetches.Want(new MemoryPageRange(page, 1), priority, _settings.NowNs);
        else
            _waiting.Add(page, priority);
        return false;
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Read(MemoryPage page)
    {
        var content = _held.Take(page);
        return content == null ? default : new ReadOnlySpan<byte>(content, Page.Size);
    }

    /// <inheritdoc/>
    public bool TryTakeArrived(long nowNs, out MemoryPage page)
    {
        _fetches.Unpark();
        _lookedAtNs = nowNs;
        do
        {
            Work();
            if (_arrived.TryDequeue(out page))
                return true;
        } while (!_fetches.Park());
        Look();
        return false;
    }

    /// <inheritdoc/>
    public void WakeOn(Action wake) => Volatile.Write(ref _wake, wake);

    /// <inheritdoc/>
    public void Dispose()
    {
        _digests.Unfollow(Wake);
        _fetches.Dispose();
        _held.Dispose();
    }

    private void Wake() => Volatile.Read(ref _wake)();

    private void Work()
    {
        var now = _settings.NowNs;
        if (_digests.Version is var version && version != _seenVersion)
        {
            _seenVersion = version;
            while (_waiting.TryTake(out var page, out var priority))
                _fetches.Want(new MemoryPageRange(page, 1), priority, now);
        }

        _fetches.Go(now);
        _fetches.Tick(now);
        while (_arrived.Count == 0 && _fetches.TryTake(now, out var batch, out _))
            _held.Hold(batch!, _arrived);
        _hasArrived |= _arrived.Count > 0;
        // A node on the way takes these pages to be in the guest's memory already. They are not.
        while (_fetches.TryTakeNotSent(out var page))
            _fetches.Want(new MemoryPageRange(page, 1), FetchPriority.Demand, now);
        _fetches.Go(now);
    }

    private void Look()
    {
        var isOver = _watch.IsOver(_fetches.PagesHeld > 0, _hasArrived, _settings.NowNs);
        _hasArrived = false;
        var wrong = WrongPages == 0 ? "" : $", {WrongPages} with wrong content";
        Problem =
            _digests.Problem
            ?? (
                isOver
                    ? $"{_fetches.PagesHeld} pages have not come for {_settings.PatienceNs / 1_000_000_000.0:0.#} s"
                        + $"{wrong}: start a source that has the image"
                    : null
            );
    }

    // On a source's thread.
    private void Check(PageBatch batch)
    {
        var kept = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            if (_digests.IsContent(batch[i]))
                batch.Move(i, kept++);
        }

        Interlocked.Add(ref _wrongPages, batch.Count - kept);
        batch.Truncate(kept);
    }
}
