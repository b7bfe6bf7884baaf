using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// Asks former members that disappeared without leaving which cluster they are in now, and reports when this node must
/// join theirs. <see cref="Acquaintances"/> remembers and decides; each incarnation has one such actor.
/// </summary>
public sealed class ReunionActor : UntypedActor, IWithTimers
{
    private readonly Acquaintances _known;
    private readonly TimeSpan _every;
    private readonly Action<Address> _found;
    private readonly IMembership _membership;
    private bool _isMember;
    private bool _isOver;

    /// <summary>See <see cref="Props"/>.</summary>
    public ReunionActor(IMembership membership, Acquaintances known, TimeSpan every, Action<Address> found) =>
        (_membership, _known, _every, _found) = (membership, known, every, found);

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>An actor that waits for <see cref="NodeProtocol.NodesChanged"/> of its own node.</summary>
    /// <param name="membership">Its node's membership.</param>
    /// <param name="known">The memory that survives this incarnation; used only by this actor while it lives.</param>
    /// <param name="every">Interval between queries to strays.</param>
    /// <param name="found">Called once, on the actor's thread, with the stray at which this node must rejoin.</param>
    public static Props Props(IMembership membership, Acquaintances known, TimeSpan every, Action<Address> found) =>
        Akka.Actor.Props.Create(() => new ReunionActor(membership, known, every, found));

    /// <inheritdoc/>
    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, _every, _every);

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NodeProtocol.NodesChanged changed
                when Sender.Path.Address.HasLocalScope || Sender.Path.Address.Equals(_membership.Self.Address):
                _known.Update(_membership.Self.Address, changed.Nodes);
                _isMember = true;
                break;
            case NodeProtocol.NodesChanged theirs
                when _isMember && !_isOver && _known.Found(Sender.Path.Address, theirs.Nodes):
                _isOver = true;
                _found(Sender.Path.Address);
                break;
            case NodeProtocol.NodesChanged:
                break;
            case Tick:
                // A node that is still joining a cluster looks for no other one: its knowledge is about the cluster of
                // its previous incarnation.
                if (!_isMember)
                    break;
                foreach (var stray in _known.Strays)
                    _membership.Tell(stray, NodeActor.Name, NodeProtocol.GetNodes.Instance, Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private sealed record Tick
    {
        public static readonly Tick Instance = new();
    }
}
