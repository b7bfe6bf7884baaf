using Userfault.Paging;

namespace Userfault.Fetch.Tests.Model;

/// <summary>
/// What must be true of any fetch engine, kept as plainly as can be: who wants which page, and which request that is not over
/// asks for it. Complains about everything that breaks a promise.
/// </summary>
internal sealed class NaiveFetch(FetchSettings settings)
{
    private readonly Dictionary<ulong, HashSet<int>> _wanted = [];
    private readonly HashSet<ulong> _waitedFor = [];
    private readonly SortedDictionary<ulong, OpenRequest> _open = [];
    private long _asked;
    private long _hedged;

    /// <summary>Requests that are not over, as sources see them.</summary>
    public IEnumerable<Asked> Open => _open.Values.Select(static o => o.Asked);

    /// <summary>Pages that somebody wants.</summary>
    public int Wanted => _wanted.Count;

    /// <summary>Of these, pages that nobody waits for.</summary>
    public int Background => _wanted.Keys.Count(p => !_waitedFor.Contains(p));

    public void Want(ulong page, FetchPriority priority, int requester)
    {
        if (!_wanted.TryGetValue(page, out var requesters)) _wanted.Add(page, requesters = []);
        requesters.Add(requester);
        if (priority == FetchPriority.Demand) _waitedFor.Add(page);
    }

    public void Promote(ulong page)
    {
        if (_wanted.ContainsKey(page)) _waitedFor.Add(page);
    }

    public void Abandon(ulong page, int requester)
    {
        if (_wanted.TryGetValue(page, out var requesters) && requesters.Remove(requester) && requesters.Count == 0) Forget(page);
    }

    /// <summary>Queued background is forgotten, as the engine says it is.</summary>
    public void CancelBackground()
    {
        foreach (var page in _wanted.Keys.Where(p => !_waitedFor.Contains(p) && AskedBy(p) == 0).ToList()) Forget(page);
    }

    public void OnAsked(Asked asked, bool isUp)
    {
        Assert.True(isUp, $"a source is asked that is gone: {asked}");
        Assert.InRange(asked.Pages.Length, 1, settings.RequestPages);
        Assert.Equal(asked.Pages.Length, asked.Pages.Distinct().Count());
        foreach (var page in asked.Pages)
        {
            Assert.True(_wanted.ContainsKey(page), $"page {page} is asked for and nobody wants it");
            Assert.Equal(asked.Priority == FetchPriority.Demand, _waitedFor.Contains(page));
            Assert.Equal(asked.IsHedge ? 1 : 0, AskedBy(page));
        }

        if (asked.IsHedge)
        {
            _hedged += asked.Pages.Length;
            Assert.True(settings.Hedge && _hedged * 100 <= _asked * settings.HedgePercent, $"{_hedged} pages hedged of {_asked} asked for");
        }
        else
        {
            var outstanding = _open.Values.Sum(static o => o.Asked.Pages.Length);
            Assert.True(outstanding < settings.WindowPages, $"{outstanding} pages were outstanding, the window is {settings.WindowPages}");
            _asked += asked.Pages.Length;
            if (asked.Priority == FetchPriority.Background)
            {
                Assert.DoesNotContain(_waitedFor, p => AskedBy(p) == 0);
                var background = _open.Values.Where(static o => o.Asked.Priority == FetchPriority.Background).Sum(static o => o.Asked.Pages.Length);
                Assert.True(background < settings.BackgroundWindowPages, $"{background} background pages were outstanding");
            }
        }

        _open.Add(asked.Id, new OpenRequest(asked, [.. asked.Pages]));
    }

    /// <summary>The engine has heard the end of a request, or has cancelled it.</summary>
    public void OnOver(ulong id) => _open.Remove(id);

    public void OnSourceGone(int source)
    {
        foreach (var id in _open.Values.Where(o => o.Asked.Source == source).Select(static o => o.Asked.Id).ToList()) _open.Remove(id);
    }

    /// <summary>A requester gets a page.</summary>
    public void OnDelivered(ulong page, int requester)
    {
        Assert.True(_wanted.TryGetValue(page, out var requesters) && requesters.Remove(requester), $"requester {requester} gets page {page}, which it did not want, or twice");
        if (requesters!.Count == 0) Forget(page);
    }

    public void OnNotSent(ulong page, int requester)
    {
        Assert.True(_wanted.TryGetValue(page, out var requesters) && requesters.SetEquals([requester]), $"page {page} was wanted by others too");
        Assert.DoesNotContain(page, _waitedFor);
        Forget(page);
    }

    /// <summary>A source does not send what it takes to be in place; what several want is asked for as demand then.</summary>
    public void OnNotNeeded(Asked asked)
    {
        if (asked.Priority == FetchPriority.Demand) return;
        foreach (var page in _open[asked.Id].Pages.Where(p => AskedBy(p) == 1 && _wanted[p].Count > 1)) _waitedFor.Add(page);
    }

    public void OnFailed(ulong page, int requester) => OnDelivered(page, requester);

    /// <summary>After the engine has decided: nothing waits that could have been asked for.</summary>
    public void Settled(bool hasSource)
    {
        if (!hasSource) return;
        var outstanding = _open.Values.Sum(static o => o.Asked.Pages.Length);
        if (outstanding >= settings.WindowPages) return;
        Assert.DoesNotContain(_waitedFor, p => AskedBy(p) == 0);
    }

    private int AskedBy(ulong page) => _open.Values.Count(o => o.Pages.Contains(page));

    private void Forget(ulong page)
    {
        _wanted.Remove(page);
        _waitedFor.Remove(page);
        foreach (var open in _open.Values) open.Pages.Remove(page);
    }

    // What a request asks for and nobody has brought.
    private sealed record OpenRequest(Asked Asked, HashSet<ulong> Pages);
}
