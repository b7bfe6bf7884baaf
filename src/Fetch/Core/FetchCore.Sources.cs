using Userfault.Pages;

namespace Userfault.Fetch;

// Sources that are added, removed or silent.
public sealed partial class FetchCore
{
    private const int TimeoutsWhereAlone = 8;

    /// <summary>
    /// Can the passing of time alone change anything? If so, the shell must call <see cref="OnTick"/>.
    /// </summary>
    public bool NeedsTicks => _requests.Count > 0 && (_settings.TimeoutNs > 0 || _settings.Hedge);

    /// <summary>Adds a source. Returns its number, which may be that of a removed source.</summary>
    /// <param name="isSpare">Is it used only for hedges, and when the other sources are silent or gone?</param>
    public int AddSource(bool isSpare = false) => _sources.Add(isSpare);

    /// <summary>Removes a source. Its outstanding pages are requested from other sources.</summary>
    public void RemoveSource(int source)
    {
        if (_sources.IsUp(source))
            Lose(source, SourceLoss.Removed);
    }

    /// <summary>Cancels all requests, when the engine stops.</summary>
    public void CancelAll()
    {
        CollectIds(source: -1);
        foreach (var id in _ids)
            _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, _requests[id].Source, RequestId: id));
    }

    /// <summary>
    /// Looks for requests that take too long: overdue ones are given up and requested again, slow ones are hedged. To
    /// be called about every <see cref="FetchSettings.TickNs"/>.
    /// </summary>
    public void OnTick(long nowNs)
    {
        if (_settings.TimeoutNs > 0 && _sources.Up > 0)
            GiveUpOverdue(nowNs);
        LoseUntrusted();
        HedgeSlow(nowNs);
    }

    private void GiveUpOverdue(long nowNs)
    {
        // With a single source there is no alternative, and a lost connection reports itself, so the timeout is longer.
        // It is not infinite: a live connection may still have lost one request.
        var isAlone = _sources.Up == 1;
        var timeoutNs = isAlone ? _settings.TimeoutNs * TimeoutsWhereAlone : _settings.TimeoutNs;
        _ids.Clear();
        foreach (var request in _requests.Values)
        {
            if (nowNs - request.SentNs >= timeoutNs)
                _ids.Add(request.Id);
        }

        if (_ids.Count == 0)
            return;
        _ids.Sort();
        // The oldest is given back last, so that its pages end up at the front of the queue.
        for (var i = _ids.Count - 1; i >= 0; i--)
        {
            var request = _requests[_ids[i]];
            _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, request.Source, RequestId: request.Id));
            if (!isAlone)
                _sources.OnOverdue(request.Source);
            if (request is { Priority: FetchPriority.Demand, IsHedge: false })
                _hedges.OnDemand(nowNs - request.SentNs);
            GiveBack(request);
        }

        _sources.CountSilences(nowNs);
    }

    private void LoseUntrusted()
    {
        while (_sources.TryFindUntrusted(out var source, out var loss))
            Lose(source, loss);
    }

    private void Lose(int source, SourceLoss loss)
    {
        if (!_sources.IsUp(source))
            return;
        CollectIds(source);
        for (var i = _ids.Count - 1; i >= 0; i--)
        {
            var request = _requests[_ids[i]];
            _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, source, RequestId: request.Id));
            GiveBack(request);
        }

        _sources.Remove(source);
        _effects.Enqueue(new FetchEffect(FetchEffectKind.GiveUp, source, Loss: loss));
    }

    // In ascending order, so that a replay visits them in the same order. -1 means all sources.
    private void CollectIds(int source)
    {
        _ids.Clear();
        foreach (var request in _requests.Values)
        {
            if (source < 0 || request.Source == source)
                _ids.Add(request.Id);
        }

        _ids.Sort();
    }
}
