using System.Collections.Concurrent;
using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// What the pages of a guest must be: the image's manifest, from the sources, for all guests of this process. A thread
/// of its own fills it in the order of the pages, those first that a guest waits for. A page is asked for when its
/// digest is here: then it can be looked at as soon as it has come, whichever thread that is.
/// </summary>
internal sealed unsafe class ClusterDigests : IDisposable
{
    // Digests of so many pages of the manifest are on their way at once: 4096 pages of the guest.
    private const ulong AheadPages = 64;

    // How long the thread sleeps where no source is there.
    private const int StarvedPollMs = 100;
    private const ulong HeaderPage = 0;

    private readonly GuestDescription _guest;
    private readonly ClusterSettings _settings;
    private readonly ImageManifest _manifest;
    private readonly PageDigests _digests;
    private readonly Fetches _fetches;
    private readonly ArrivalWatch _watch;
    private readonly ConcurrentQueue<(ulong Page, FetchPriority Priority)> _wants = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Lock _lock = new();
    private readonly List<Action> _followers = [];
    private readonly Thread _thread;
    private readonly ulong _wantedPages;
    private ulong _next;
    private ulong _come;
    private bool _hasHeader;
    private int _version;
    private volatile string? _problem;
    private volatile bool _isOver;

    /// <summary>A table that fills from now on.</summary>
    /// <param name="guest">The guest.</param>
    /// <param name="sources">Sources of its image's manifest; not owned.</param>
    /// <param name="settings">How they are asked.</param>
    /// <exception cref="PagingException">The machine does not give that much memory.</exception>
    public ClusterDigests(GuestDescription guest, SourceSet sources, ClusterSettings settings)
    {
        (_guest, _settings) = (guest, settings);
        var pages = guest.Stream.Pages;
        _manifest = new ImageManifest(guest.Image, pages, [new MemoryPageRange(new MemoryPage(0), pages)]);
        _digests = new PageDigests(_manifest);
        _watch = new ArrivalWatch(settings.PatienceNs);
        _next = _manifest.HeaderPages;
        for (var page = _next; page < _manifest.Pages; page++)
            _wantedPages += HasContent(page) ? 1UL : 0;
        _fetches = new Fetches(sources, settings.Fetch, () => _wake.Set())
        {
            Check = Check,
            GaveUp = (source, loss) => settings.Log($"{source.Name} is not asked for digests any more: {loss}"),
        };
        _thread = new Thread(Run) { IsBackground = true, Name = "page digests" };
        _thread.Start();
    }

    /// <summary>Moves on whenever digests have come.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Why no more digests come, in one line; null while they do.</summary>
    public string? Problem => _problem;

    /// <summary>Has the digest of a page come?</summary>
    public bool Has(MemoryPage page) => _digests.Has(page);

    /// <summary>Is this the content of a page? False where its digest has not come.</summary>
    public bool IsContent(in PageContent content) =>
        content.Page.Value < _guest.Stream.Pages && _digests.IsContent(content.Page, content.Bytes);

    /// <summary>A guest wants a page whose digest has not come.</summary>
    public void Want(MemoryPage page, FetchPriority priority)
    {
        _wants.Enqueue((_manifest.HeaderPages + (page.Value / PageDigest.PerPage), priority));
        _wake.Set();
    }

    /// <summary>Calls, on another thread, whenever digests have come, or there is a problem.</summary>
    public void Follow(Action follower)
    {
        lock (_lock)
            _followers.Add(follower);
    }

    /// <summary>Calls no more.</summary>
    public void Unfollow(Action follower)
    {
        lock (_lock)
            _followers.Remove(follower);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        _wake.Set();
        _thread.Join();
        _digests.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        _fetches.Want(new MemoryPageRange(new MemoryPage(HeaderPage), 1), FetchPriority.Demand, _settings.NowNs);
        while (!_isOver && _come < _wantedPages)
        {
            var hasCome = Work(_settings.NowNs);
            var isQuiet = _watch.IsOver(_fetches.PagesHeld > 0, hasCome, _settings.NowNs);
            if (isQuiet != (_problem is not null))
            {
                _problem = isQuiet
                    ? "no source sends digests of the guest's pages that agree with its description"
                    : null;
                hasCome = true;
            }

            if (hasCome)
                Tell();
            if (!hasCome && _fetches.Park() && _wants.IsEmpty && !_fetches.IsWanted)
                _wake.WaitOne(_fetches.IsStarved || _problem is not null ? StarvedPollMs : _fetches.SleepMs);
            _fetches.Unpark();
        }

        _fetches.Dispose();
    }

    private bool Work(long nowNs)
    {
        if (_hasHeader)
            Ask(nowNs);
        _fetches.Go(nowNs);
        _fetches.Tick(nowNs);
        var hasCome = false;
        while (_fetches.TryTake(_settings.NowNs, out var batch, out _))
        {
            foreach (var page in batch!.Pages)
                Take(page);
            batch.Release();
            hasCome = true;
        }

        while (_fetches.TryTakeNotSent(out var page))
            _fetches.Want(new MemoryPageRange(page, 1), FetchPriority.Demand, nowNs);
        return hasCome;
    }

    private void Ask(long nowNs)
    {
        while (_wants.TryDequeue(out var wanted))
        {
            if (!_digests.Has(FirstOf(wanted.Page)))
                _fetches.Want(new MemoryPageRange(new MemoryPage(wanted.Page), 1), wanted.Priority, nowNs);
        }

        for (; _next < _manifest.Pages && _fetches.PushedInFlight < AheadPages; _next++)
        {
            if (HasContent(_next) && !_digests.Has(FirstOf(_next)))
                _fetches.Want(new MemoryPageRange(new MemoryPage(_next), 1), FetchPriority.Background, nowNs);
        }
    }

    private void Take(in PageContent content)
    {
        if (content.Page.Value == HeaderPage)
        {
            _hasHeader = true;
            return;
        }

        if (_digests.Has(FirstOf(content.Page.Value)))
            return;
        _digests.Put(content.Page.Value, new ReadOnlySpan<byte>(content.Bytes, Page.Size));
        _come++;
    }

    private void Tell()
    {
        Interlocked.Increment(ref _version);
        lock (_lock)
        {
            foreach (var follower in _followers)
                follower();
        }
    }

    // On a source's thread. What contradicts the description is of another image.
    private void Check(PageBatch batch)
    {
        var kept = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            if (IsRight(batch[i]))
                batch.Move(i, kept++);
        }

        batch.Truncate(kept);
    }

    private bool IsRight(in PageContent content)
    {
        if (content.Bytes == null || content.Page.Value >= _manifest.Pages)
            return false;
        var bytes = new ReadOnlySpan<byte>(content.Bytes, Page.Size);
        if (content.Page.Value == HeaderPage)
        {
            return ImageManifest.Read(bytes, _guest.Image) is { } manifest
                && manifest.ImagePages == _manifest.ImagePages
                && manifest.Pages == _manifest.Pages;
        }

        var first = FirstOf(content.Page.Value);
        for (var i = 0; i < PageDigest.PerPage && first.Value + (ulong)i < _guest.Stream.Pages; i++)
        {
            if (
                _guest.IsZero(first.Plus((ulong)i))
                && PageDigest.Read(bytes[(i * PageDigest.Size)..]).Sha256 != PageDigest.Zero.Sha256
            )
            {
                return false;
            }
        }

        return true;
    }

    private MemoryPage FirstOf(ulong manifestPage) => new((manifestPage - _manifest.HeaderPages) * PageDigest.PerPage);

    // 64 pages of the guest are 8 bytes of its bitmap.
    private bool HasContent(ulong manifestPage)
    {
        var at = (int)((manifestPage - _manifest.HeaderPages) * (PageDigest.PerPage / 8));
        var bits = _guest.Content.Span[at..];
        return bits[..Math.Min(bits.Length, PageDigest.PerPage / 8)].ContainsAnyExcept((byte)0);
    }
}
