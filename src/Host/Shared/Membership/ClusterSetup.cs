using System.Globalization;
using System.Net;
using Akka.Actor;
using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What the settings under userfault.cluster make of an actor system and of its data plane.</summary>
internal sealed class ClusterSetup
{
    /// <summary>Name of every node's actor system: only nodes of one name meet.</summary>
    public const string SystemName = "userfault";

    private readonly RefusalLog _refusals = new(
        line => Console.Error.WriteLine($"userfault node: {line}"),
        TimeProvider.System
    );
    private volatile string? _refused;
    private bool _isWarned;

    private ClusterSetup(Settings settings)
    {
        Host = AddressAt(settings, "cluster.host");
        ReportEvery = TimeSpan.FromTicks(settings.DurationNs("cluster.report-interval") / 100);
        RetryAfter = TimeSpan.FromTicks(settings.DurationNs("cluster.retry") / 100);
        ClearEvery = TimeSpan.FromTicks(settings.DurationNs("cluster.clear-interval") / 100);
        JoinTimeout = TimeSpan.FromTicks(settings.DurationNs("cluster.join-timeout") / 100);
        Tls = ClusterTls.Of(settings);
        MetricsAt = MetricsOf(settings);
        var (splitName, split) = settings.Get("cluster.split-brain");
        _splitBrain = split switch
        {
            "keep-destination" => SplitBrainRule.KeepDestination,
            "keep-majority" => SplitBrainRule.KeepMajority,
            "off" => SplitBrainRule.Off,
            _ => throw Units.Bad(splitName, split, "keep-destination, keep-majority or off"),
        };
        _stableAfter = TimeSpan.FromTicks(settings.DurationNs("cluster.stable-after") / 100);
        Settings = settings;
    }

    public Settings Settings { get; }

    private readonly SplitBrainRule _splitBrain;
    private readonly TimeSpan _stableAfter;

    public ClusterTls? Tls { get; }

    public IPAddress Host { get; }

    /// <summary>Where /metrics listens; null is nowhere.</summary>
    public IPEndPoint? MetricsAt { get; }

    /// <summary>The last node that this one does not trust, and why; null where there was none.</summary>
    public string? Refused => _refused;

    public TimeSpan ReportEvery { get; }

    public TimeSpan RetryAfter { get; }

    public TimeSpan JoinTimeout { get; }

    public TimeSpan ClearEvery { get; }

    /// <summary>What the settings make of a command that takes part in a cluster; warnings are said.</summary>
    /// <param name="settings">The settings.</param>
    /// <exception cref="CliException">A bad value, or an address beyond loopback without TLS.</exception>
    public static ClusterSetup Open(Settings settings)
    {
        var setup = new ClusterSetup(settings);
        setup.Check([("userfault.cluster.host", setup.Host.ToString())]);
        if (setup.MetricsAt is { } metrics)
            setup.Check([("userfault.cluster.metrics-host", metrics.Address.ToString())]);
        if (setup.Tls?.Warning(TimeProvider.System.GetUtcNow()) is { } warning)
            Console.Error.WriteLine($"userfault: warning: {warning}");
        return setup;
    }

    /// <summary>Looks at nodes that are going to be dialed.</summary>
    /// <param name="option">The option that names them.</param>
    /// <param name="nodes">The nodes.</param>
    /// <exception cref="CliException">One is beyond loopback, and there is no TLS.</exception>
    public void CheckNodes(string option, IEnumerable<Address> nodes) =>
        Check(nodes.Select(node => (option, node.Host)));

    /// <summary>How this process takes part in the cluster.</summary>
    public NodeSettings NodeSettings(string role, int port) =>
        new()
        {
            SystemName = SystemName,
            Role = role,
            Host = Host,
            Port = port,
            SplitBrain = _splitBrain,
            StableAfter = _stableAfter,
            // An observer says in its last line what it has to say.
            Tls = Tls?.Node(refused =>
            {
                _refused = refused;
                if (role != NodeRoles.Observer)
                    _refusals.Say($"refused {refused}");
            }),
        };

    /// <summary>Where a data-plane server listens.</summary>
    public PageServerOptions ServerOptions(int port) =>
        new()
        {
            Listen = new IPEndPoint(Host, port),
            Tls = Tls?.Server,
            Log = line => Console.Error.WriteLine($"userfault node: {line}"),
        };

    /// <summary>How data-plane servers are connected to.</summary>
    public PageClientOptions ClientOptions(ImageIdentity image) =>
        new()
        {
            Server = new IPEndPoint(Host, 0),
            Image = image,
            Tls = Tls?.Client,
        };

    /// <summary>Addresses of nodes out of H:P,H:P.</summary>
    /// <exception cref="CliException">One is no address.</exception>
    public static IReadOnlyList<Address> Nodes(string option, string? text)
    {
        var nodes = new List<Address>();
        foreach (
            var part in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        )
        {
            var colon = part.LastIndexOf(':');
            if (
                colon <= 0
                || !ushort.TryParse(part.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port)
                || port == 0
            )
            {
                throw Units.Bad(option, part, "the address of a node, such as 127.0.0.1:7001");
            }

            nodes.Add(Userfault.Nodes.NodeSystem.AddressOf(SystemName, part[..colon], port, isTls: false));
        }

        return nodes;
    }

    /// <summary>The nodes' addresses as Akka knows them: with TLS the protocol has another name.</summary>
    public IReadOnlyList<Address> Named(IReadOnlyList<Address> nodes) =>
        Tls is null
            ? nodes
            :
            [
                .. nodes.Select(n =>
                    Userfault.Nodes.NodeSystem.AddressOf(SystemName, n.Host, n.Port!.Value, isTls: true)
                ),
            ];

    /// <summary>What may be wrong where no node has answered.</summary>
    /// <param name="nodes">The nodes.</param>
    public string Advice(IEnumerable<Address> nodes)
    {
        if (_refused is { } refused)
            return $"refused {refused}";
        var isFar = nodes.Any(static n => !LoopbackRule.IsLoopback(n.Host));
        return $"check that it runs{(isFar ? ", where this node listens (userfault.cluster.host)," : "")} "
            + "and that both have certificates of one authority, "
            + "or neither has any (userfault.cluster.tls)";
    }

    private void Check(IEnumerable<(string Name, string Host)> uses)
    {
        if (LoopbackRule.Check(Settings, Tls, uses) is not { } warning || _isWarned)
            return;
        _isWarned = true;
        Console.Error.WriteLine($"userfault: warning: {warning}");
    }

    private static IPAddress AddressAt(Settings settings, string key) =>
        settings.Get(key) is var (name, text) && IPAddress.TryParse(text, out var address)
            ? address
            : throw Units.Bad(name, text, "an IP address");

    private static IPEndPoint? MetricsOf(Settings settings)
    {
        var (name, port) = settings.Get("cluster.metrics-port");
        return port == "off"
            ? null
            : new IPEndPoint(AddressAt(settings, "cluster.metrics-host"), Units.Count(name, port, 0, 65535));
    }
}
