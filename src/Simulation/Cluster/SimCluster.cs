using System.Net;
using Akka.Actor;
using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Simulation.Cluster;

/// <summary>
/// A cluster of nodes in one world: sources, fetchers and destinations with the actors of their processes, with a model
/// of their membership and the page data plane over one simulated network. Nodes die, return as new incarnations, are
/// slow, and lose contact with each other.
/// </summary>
internal sealed class SimCluster
{
    private readonly SimClusterSettings _settings;
    private readonly List<SimNode> _nodes = [];
    private readonly SimMembershipNet _net;

    /// <summary>A cluster without nodes. All nodes join the first node that is added.</summary>
    public SimCluster(SimWorld world, SimClusterSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(world);
        (World, _settings) = (world, settings ?? new SimClusterSettings());
        Network = new SimNetwork(world, _settings.Network);
        _net = new SimMembershipNet(Network, _settings.SystemName, _settings.Membership);
    }

    /// <summary>The world that it is part of.</summary>
    public SimWorld World { get; }

    /// <summary>The network between its nodes.</summary>
    public SimNetwork Network { get; }

    /// <summary>Its nodes, running or not, in the order of adding.</summary>
    public IReadOnlyList<SimNode> Nodes => _nodes;

    /// <summary>A node by its name.</summary>
    public SimNode this[string name] =>
        _nodes.Find(n => n.Name == name) ?? throw new ArgumentException($"no node {name}", nameof(name));

    /// <summary>Starts a node that serves an image.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="image">The image.</param>
    /// <param name="disk">The behaviour of its own reads of the image; null answers at once.</param>
    public SimNode AddSource(string name, ITaggedImage image, SimServerSettings? disk = null) =>
        Add(
            name,
            NodeRoles.Source,
            node =>
            {
                var server = node.Disk = new SimPageServer(
                    World,
                    image,
                    (disk ?? new SimServerSettings()) with
                    {
                        Name = name,
                    }
                );
                var listener = new SimPagePlane(Network, node.Host).Listen(new PageServerOptions(), server.Connect());
                var offer = new SourceListing(image.Identity, image.Pages, name, listener.Port, name);
                Open(node, () => new NodeReport([offer], listener.PagesSent));
            }
        );

    /// <summary>Starts a node that fetches pages from sources for others.</summary>
    public SimNode AddFetcher(string name) =>
        Add(
            name,
            NodeRoles.Fetcher,
            node =>
            {
                var relay = node.Relay = new Relay(name, static _ => { });
                Open(node, relay.Report);
                var actor = node.System!.ActorOf(
                    RelayActor.Props(
                        relay,
                        node.Node,
                        new PageServerOptions(),
                        ClientOptions(default),
                        _settings.RetryAfter,
                        node.Replicas,
                        new SimPagePlane(Network, node.Host),
                        _settings.Fetcher
                    ),
                    "relay"
                );
                node.Node.Tell(new NodeProtocol.Listen(actor), ActorRefs.NoSender);
            }
        );

    /// <summary>Starts a node to which a VM is migrated; its pages come from the cluster.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="settings">The settings of the VM.</param>
    /// <param name="vm">The VM, which is not started yet.</param>
    public SimNode AddDestination(string name, SimVmSettings settings, out SimVm vm)
    {
        ArgumentNullException.ThrowIfNull(settings);
        SimVm? made = null;
        var node = AddDestination(
            name,
            settings.Image.Identity,
            (node, publisher) =>
            {
                made = new SimVm(World, node.System!, settings with { BroadcastsClears = true, Broadcast = publisher });
                return made.Pool;
            }
        );
        vm = made!;
        return node;
    }

    /// <summary>
    /// Starts a node that receives pages of an image from the cluster, for a VM that the caller creates.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="image">The image.</param>
    /// <param name="makePool">Creates the fetcher pool in the node's system, given the publisher of cleared
    /// bits.</param>
    /// <param name="wrap">Wraps the node's page data plane; null for nothing.</param>
    internal SimNode AddDestination(
        string name,
        ImageIdentity image,
        Func<SimNode, IActorRef, IActorRef> makePool,
        Func<IPagePlane, IPagePlane>? wrap = null
    ) =>
        Add(
            name,
            NodeRoles.Destination,
            node =>
            {
                node.HoldsVm = true;
                var published = new PublishedBitmaps(image);
                Open(node, () => NodeReport.Nothing with { Bitmaps = published.Shapes });
                var publisher = node.System!.ActorOf(
                    ClearPublisherActor.Props(published, _settings.ClearsEvery, node.Membership),
                    ClearPublisherActor.Name
                );
                var plane = new SimPagePlane(Network, node.Host);
                node.Links = node.System!.ActorOf(
                    PageLinksActor.Props(
                        PageLinksSettings.IntoPool(makePool(node, publisher), ClientOptions(image)) with
                        {
                            Plane = wrap?.Invoke(plane) ?? plane,
                            RetryAfter = _settings.RetryAfter,
                        }
                    ),
                    "links"
                );
                node.Node.Tell(new NodeProtocol.Listen(node.Links), ActorRefs.NoSender);
            }
        );

    /// <summary>Starts a node that is a member only.</summary>
    public SimNode AddMember(string name, string role = "member") =>
        Add(name, role, node => Open(node, static () => NodeReport.Nothing));

    /// <summary>Ends a node's process at once.</summary>
    /// <param name="node">The node.</param>
    /// <param name="silently">As by a power failure, which no other node is notified of; otherwise as by kill
    /// -9.</param>
    public void Kill(SimNode node, bool silently = false)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.System is not { } system)
            return;
        Network.Kill(node.Host, silently);
        node.System = null;
        node.Membership = null;
        node.Node = node.Links = ActorRefs.Nobody;
        // It sends and receives nothing more, so how its actors stop is irrelevant to the run.
        World.LeaveStep();
        _ = system.Terminate();
    }

    /// <summary>Starts a new process on the node's machine, at the same address: another incarnation.</summary>
    /// <exception cref="InvalidOperationException">It is running, or it held a VM, which died with it.</exception>
    public void Restart(SimNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.System is not null)
            throw new InvalidOperationException($"{node.Name} runs");
        if (node.HoldsVm)
            throw new InvalidOperationException($"the VM on {node.Name} is lost");
        Network.Restart(node.Host);
        node.Boot();
    }

    /// <summary>Cuts the network between these nodes and all others.</summary>
    public void Isolate(params IReadOnlyList<SimNode> nodes) =>
        Network.Cut(nodes.Select(static n => n.Host), _nodes.Where(n => !nodes.Contains(n)).Select(static n => n.Host));

    /// <summary>
    /// From now on, no exchange between memberships is lost, and no live member is suspected.
    /// </summary>
    internal void BecomesCalm() => _net.Settings = _net.Settings with { FalseSuspicion = 0, GossipLoss = 0 };

    /// <summary>Heals every cut.</summary>
    public void Heal() => Network.Heal();

    /// <summary>Do all running nodes see exactly the running nodes, all up and reachable?</summary>
    public bool HasConverged()
    {
        var running = _nodes.Where(static n => n.IsUp).ToArray();
        return Array.TrueForAll(
            running,
            node =>
                node.Membership is { IsOver: false } seen
                && seen.Members.Count == running.Length
                && seen.Members.All(static m => m is { State: MemberState.Up, IsReachable: true })
                && Array.TrueForAll(running, other => seen.Members.Any(m => m.Node == other.Membership!.Self))
        );
    }

    private static PageClientOptions ClientOptions(ImageIdentity image) =>
        new() { Server = new IPEndPoint(IPAddress.Loopback, 0), Image = image };

    private SimNode Add(string name, string role, Action<SimNode> boot)
    {
        var node = new SimNode(Network.AddHost(name), role, boot);
        _nodes.Add(node);
        node.Boot();
        return node;
    }

    private void Open(SimNode node, Func<NodeReport> report)
    {
        node.System = World.CreateSystem(_settings.SystemName, node.Name);
        var membership = node.Membership = new SimMembership(_net, node.Host, node.System, [node.Role]);
        if (_settings.ResolvesSplits)
            node.System.ActorOf(SplitBrainActor.Props(membership, _settings.StableAfter), "split-brain");
        node.Node = node.System.ActorOf(NodeActor.Props(membership, report, _settings.ReportEvery), NodeActor.Name);
        // The first node starts the cluster. After a restart it joins the others, like every other node.
        var seeds = _nodes
            .Where(n => n != node)
            .Take(node.IsFirstProcess ? 2 : int.MaxValue)
            .Select(n => _net.AddressOf(n.Host));
        membership.Join(node.IsFirstProcess && node == _nodes[0] ? [] : [.. seeds]);
        if (node.Role == NodeRoles.Destination)
            return;
        var replicas = node.Replicas = new Replicas();
        node.Node.Tell(
            new NodeProtocol.Listen(node.System.ActorOf(BitmapReplicasActor.Props(replicas, membership), "replicas")),
            ActorRefs.NoSender
        );
    }
}
