using Akka.Actor;
using Userfault.Nodes.Tests.Contract;

namespace Userfault.Nodes.Tests;

/// <summary>
/// What a follower is told about the end of its node's membership, and what the followers at other nodes are told.
/// </summary>
public sealed class FollowTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ActorSystem _elsewhere = ActorSystem.Create("elsewhere", "akka.loglevel = OFF");
    private readonly TestNode _here = new(NodeRoles.Destination);
    private readonly TestNode _there = new();

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
        _elsewhere.Terminate().Wait(Patience);
    }

    [Theory]
    [InlineData("leaves", false)]
    [InlineData("is downed", true)]
    [InlineData("downs itself", true)]
    [InlineData("is terminated", false)]
    public async Task However_a_membership_ends_its_follower_is_told_once(string how, bool isDowned)
    {
        var ended = new Probe(_elsewhere);
        var other = new Probe(_elsewhere);
        _here.Membership.Follow(ended.Ref);
        _there.Membership.Follow(other.Ref);
        _here.Membership.Join([]);
        _there.Membership.Join([_here.Address]);
        List<IMembershipEvent> told = [], seen = [];
        ReadUntil(ended, told, IsThereUp);
        ReadUntil(other, seen, IsThereUp);

        End(how);

        ReadUntil(other, seen, e => e is MemberChanged { State: MemberState.Removed });
        await _here.System.WhenTerminated.WaitAsync(Patience);
        // The actor system has ended, so nothing can follow this event.
        ReadUntil(ended, told, e => e is MembershipEnded);
        Assert.True(ended.IsEmpty);
        Assert.True(ContractView.Of(told).HasEnded);
        Assert.Single(ContractView.Of(seen).Members);
        var changes = seen.OfType<MemberChanged>().Where(c => c.Node == _here.Membership.Self);
        var states = changes.Select(c => c.State).ToList();
        Assert.Equal(isDowned, states.Contains(MemberState.Down));
        if (isDowned) return;
        Assert.Equal([MemberState.Leaving, MemberState.Exiting, MemberState.Removed], states.TakeLast(3));
    }

    private bool IsThereUp(IMembershipEvent said) =>
        said is MemberChanged { State: MemberState.Up } up && up.Node == _there.Membership.Self;

    private void End(string how)
    {
        switch (how)
        {
            case "leaves":
                _here.Membership.Leave();
                break;
            case "is downed":
                _there.Membership.Down(_here.Address);
                break;
            case "downs itself":
                _here.Membership.Down(_here.Address);
                break;
            default:
                _ = _here.System.Terminate();
                break;
        }
    }

    private static void ReadUntil(Probe probe, List<IMembershipEvent> events, Func<IMembershipEvent, bool> wanted)
    {
        do events.Add(probe.Next<IMembershipEvent>());
        while (!wanted(events[^1]));
    }
}
