using Akka.Actor;
using Akka.Cluster.Membership;

namespace Akka.Cluster.Daemon;

// Joining by seed nodes, started in any order.
internal sealed partial class ClusterDaemon
{
    private void JoinSeedNodes(IReadOnlyList<Address> seeds)
    {
        if (_core.IsMember || seeds.Count == 0)
            return;
        _seeds = seeds;
        _seedJoin = new SeedJoin(_cluster.SelfAddress, seeds, _cluster.Settings.SeedNodeTimeout, Now);
        _seedTickAt = Now;
        OnJoinTick();
    }

    private void OnJoinTick()
    {
        if (_core.IsJoinOverdue(Now))
        {
            if (_seeds.Count > 0)
            {
                // Whoever answered may be gone by now: all seeds are asked again.
                _seedJoin = new SeedJoin(_cluster.SelfAddress, _seeds, _cluster.Settings.SeedNodeTimeout, Now);
            }
            _core.JoinAgain(Now);
        }
        if (_seedJoin is null || _core.IsMember || Now < _seedTickAt)
            return;
        _seedTickAt = Now + (_cluster.Settings.SeedNodeTimeout < SeedInterval ? _cluster.Settings.SeedNodeTimeout : SeedInterval);
        foreach (var (to, question) in _seedJoin.Tick(Now))
            Daemon(to).Tell(question, Self);
        JoinFoundSeed();
    }

    private void JoinFoundSeed()
    {
        if (_seedJoin?.Target is not { } target)
            return;
        _seedJoin = null;
        _core.JoinTo(target, Now);
    }
}
