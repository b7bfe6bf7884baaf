namespace Akka.Cluster.SBR;

/// <summary>
/// When to decide, without actors or clocks: once somebody is unreachable and nothing has changed for a while. Where
/// things go on changing for much longer nobody can decide safely, and everybody goes.
/// </summary>
internal sealed class SplitBrainCore(ISplitBrainStrategy strategy, TimeSpan stableAfter, TimeSpan? downAllWhenUnstable)
{
    private SplitBrainView? _view;
    private TimeSpan _stableSince;
    private TimeSpan? _troubledSince;

    /// <summary>Membership or reachability is now this.</summary>
    public void OnView(SplitBrainView view, TimeSpan now)
    {
        if (_view is { } before && before.Unreachable.SetEquals(view.Unreachable) && SameMembers(before, view))
        {
            // Who has seen the view is no change of the view.
            _view = view;
            return;
        }
        _view = view;
        _stableSince = now;
        if (view.Unreachable.IsEmpty)
            _troubledSince = null;
        else
            _troubledSince ??= now;
    }

    /// <summary>The decision that is due now, if one is; it is due again after as long a time, should nothing come of it.</summary>
    public Decision? Tick(TimeSpan now)
    {
        if (_view is not { Unreachable.IsEmpty: false } view || _troubledSince is not { } troubledSince)
            return null;
        if (now - _stableSince >= stableAfter)
        {
            _stableSince = now;
            _troubledSince = now;
            return strategy.Decide(view);
        }
        if (downAllWhenUnstable is { } patience && now - troubledSince >= stableAfter + patience)
            return Decision.DownAll;
        return null;
    }

    // A member that moves on in its life changes who counts; one that is downed already is being dealt with.
    private static bool SameMembers(SplitBrainView before, SplitBrainView view)
        => before.Members.Count == view.Members.Count
            && before.Members.Zip(view.Members).All(static pair =>
                pair.First.UniqueAddress == pair.Second.UniqueAddress && pair.First.Status == pair.Second.Status);
}
