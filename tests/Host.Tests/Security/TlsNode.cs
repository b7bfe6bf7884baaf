using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Configuration;
using Userfault.Cli;
using Userfault.Nodes;
using Settings = Userfault.Cli.Settings;

namespace Userfault.Host.Tests.Security;

/// <summary>A node with TLS in this process, on a port that it chose, with what it hears and whom it refuses.</summary>
internal sealed class TlsNode : IAsyncDisposable
{
    // A failed handshake fills a screen.
    private static readonly Config Quiet = ConfigurationFactory.ParseString("akka.loglevel = OFF");

    private readonly ConcurrentQueue<object> _heard = new();
    private readonly ConcurrentDictionary<NodeId, MemberState> _members = new();

    private TlsNode(NodeSystem node) => Node = node;

    public NodeSystem Node { get; }

    public Address Address => Node.Membership.Self.Address;

    /// <summary>Its membership has ended.</summary>
    public bool HasEnded => _heard.Any(h => h is MembershipEnded);

    /// <summary>Nobody's requests have come here.</summary>
    public bool HasHeardNothing => !_heard.Any(h => h is NodeProtocol.ICommand);

    /// <summary>Whom it refused, and why.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    /// <summary>What other nodes have answered.</summary>
    public ConcurrentQueue<object> Answers { get; } = new();

    /// <summary>A node of a cluster, as the command opens it.</summary>
    public static TlsNode Good(TemporaryFolder folder, TestAuthority authority)
    {
        TlsNode? opened = null;
        var tls = ClusterTls.Of(Settings.Load(authority.Settings(folder)))!;
        return opened = Open(tls.Node(line => opened!.Refused.Enqueue(line)));
    }

    /// <summary>A node that shows what it likes and trusts anyone.</summary>
    public static TlsNode Stranger(X509Certificate2 shown) => Open(new NodeTls(shown, (_, _) => true));

    /// <summary>Joins, and waits until it is in.</summary>
    public async Task Join(params TlsNode[] others)
    {
        Node.Membership.Join([.. others.Select(o => o.Address)]);
        await Until(() => IsMember(this) && others.All(o => o.IsMember(this) && IsMember(o)));
    }

    /// <summary>Does it see another one as a member?</summary>
    public bool IsMember(TlsNode other) =>
        _members.TryGetValue(other.Node.Membership.Self, out var state) && state is MemberState.Up or MemberState.WeaklyUp;

    /// <summary>Has it seen another one leave in order?</summary>
    public bool HasSeenLeave(TlsNode other) =>
        _heard.Any(h => h is MemberChanged { State: MemberState.Exiting } changed && changed.Node == other.Node.Membership.Self);

    /// <summary>How many nodes it knows of.</summary>
    public int Members => _members.Count;

    /// <summary>Asks another node; the answer comes to <see cref="Answers"/>.</summary>
    public void Ask(Address other) =>
        Node.Membership.Tell(other, NodeActor.Name, NodeProtocol.GetNodes.Instance, Node.System.ActorOf(Props.Create(() => new Queue(Answers))));

    public static Task Until(Func<bool> holds) => Cluster.ClusterSpec.Until(() => Task.FromResult(holds()));

    public async ValueTask DisposeAsync() => await Node.Close();

    private static TlsNode Open(NodeTls tls)
    {
        var settings = new NodeSettings { SystemName = ClusterSetup.SystemName, Role = NodeRoles.Source, Host = IPAddress.Loopback, Tls = tls };
        var node = new TlsNode(NodeSystem.Open(settings, Quiet.WithFallback(Settings.Load(null).Config)));
        node.Node.Membership.Follow(node.Node.System.ActorOf(Props.Create(() => new Queue(node._heard, node._members))));
        node.Node.System.ActorOf(Props.Create(() => new Echo(node._heard)), NodeActor.Name);
        return node;
    }

    private sealed class Queue(ConcurrentQueue<object> heard, ConcurrentDictionary<NodeId, MemberState>? members) : UntypedActor
    {
        public Queue(ConcurrentQueue<object> heard)
            : this(heard, null)
        {
        }

        protected override void OnReceive(object message)
        {
            heard.Enqueue(message);
            if (message is MemberChanged { State: MemberState.Removed } gone) members?.TryRemove(gone.Node, out _);
            else if (message is MemberChanged changed && members is not null) members[changed.Node] = changed.State;
        }
    }

    private sealed class Echo(ConcurrentQueue<object> heard) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            heard.Enqueue(message);
            if (message is NodeProtocol.GetNodes) Sender.Tell(new NodeProtocol.NodesChanged([]));
        }
    }
}
