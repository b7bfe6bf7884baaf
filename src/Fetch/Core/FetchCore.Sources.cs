using Userfault.Pages;

namespace Userfault.Fetch;

// Sources that come and go, and those that are silent.
public sealed partial class FetchCore
{
    private const int TimeoutsWhereAlone = 8;

    /// <summary>Is there anything that time alone may change? Then <see cref="OnTick"/> is to be called.</summary>
    public bool NeedsTicks => _requests.Count > 0 && (_settings.TimeoutNs > 0 || _settings.Hedge);

    /// <summary>
    /// A source can be asked from now on; answers its number, which may be one of a source that is gone.
    /// </summary>
    /// <param name="isSpare">Is it asked only for hedges, and where the others are silent or gone?</param>
    public int AddSource(bool isSpare = false) => _sources.Add(isSpare);

    /// <summary>A source cannot be asked any more: what was asked of it is asked of another.</summary>
    public void RemoveSource(int source)
    {
        if (_sources.IsUp(source))
            Lose(source, SourceLoss.Removed);
    }

    /// <summary>Cancels all requests: the engine ends.</summary>
    public void CancelAll()
    {
        CollectIds(source: -1);
        foreach (var id in _ids)
            _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, _requests[id].Source, RequestId: id));
    }

    /// <summary>
    /// Looks for requests that take too long: overdue ones are given up and asked again, slow ones are hedged. Every
    /// <see cref="FetchSettings.TickNs"/> or so.
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
        // With one source there is nobody else to ask, and a connection that is lost says so itself; but a request that
        // it has lost must not be waited for to the end of time.
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
        // The oldest last, so that it is asked for first.
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

    // In ascending order, so that a replay goes through them in the same one. -1 is all sources.
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
