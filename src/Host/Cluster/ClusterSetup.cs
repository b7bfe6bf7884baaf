using System.Globalization;
using System.Net;
using Akka.Actor;
using Userfault.Nodes;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>What the settings under userfault.cluster make of an actor system and of its data plane.</summary>
internal sealed class ClusterSetup
{
    /// <summary>Name of every node's actor system: only nodes of one name meet.</summary>
    public const string SystemName = "userfault";

    public ClusterSetup(Settings settings)
    {
        var (name, host) = settings.Get("cluster.host");
        Host = IPAddress.TryParse(host, out var address) ? address : throw Units.Bad(name, host, "an IP address");
        var cookie = settings.Get("cluster.cookie").Value;
        Cookie = cookie.Length == 0 ? null : cookie;
        ReportEvery = TimeSpan.FromTicks(settings.DurationNs("cluster.report-interval") / 100);
        RetryAfter = TimeSpan.FromTicks(settings.DurationNs("cluster.retry") / 100);
        ClearEvery = TimeSpan.FromTicks(settings.DurationNs("cluster.clear-interval") / 100);
        JoinTimeout = TimeSpan.FromTicks(settings.DurationNs("cluster.join-timeout") / 100);
        Tls = ClusterTls.Of(settings);
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

    public string? Cookie { get; }

    public TimeSpan ReportEvery { get; }

    public TimeSpan RetryAfter { get; }

    public TimeSpan JoinTimeout { get; }

    public TimeSpan ClearEvery { get; }

    /// <summary>How this process takes part in the cluster.</summary>
    public NodeSettings NodeSettings(string role, int port) => new()
    {
        SystemName = SystemName,
        Role = role,
        Host = Host,
        Port = port,
        SplitBrain = _splitBrain,
        StableAfter = _stableAfter,
        Tls = Tls?.Node,
    };

    /// <summary>Where a data-plane server listens.</summary>
    public PageServerOptions ServerOptions(int port) => new()
    {
        Listen = new IPEndPoint(Host, port),
        Cookie = Cookie,
        Tls = Tls?.Server,
        Log = line => Console.Error.WriteLine($"userfault node: {line}"),
    };

    /// <summary>How data-plane servers are connected to.</summary>
    public PageClientOptions ClientOptions(ImageIdentity image) => new()
    {
        Server = new IPEndPoint(Host, 0),
        Image = image,
        Cookie = Cookie,
        Tls = Tls?.Client,
    };

    /// <summary>Addresses of nodes out of H:P,H:P.</summary>
    /// <exception cref="CliException">One is no address.</exception>
    public static IReadOnlyList<Address> Nodes(string option, string? text)
    {
        var nodes = new List<Address>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = part.LastIndexOf(':');
            if (colon <= 0 || !ushort.TryParse(part.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port) || port == 0)
                throw Units.Bad(option, part, "the address of a node, such as 127.0.0.1:7001");
            nodes.Add(Userfault.Nodes.NodeSystem.AddressOf(SystemName, part[..colon], port, isTls: false));
        }

        return nodes;
    }

    /// <summary>The nodes' addresses as Akka knows them: with TLS the protocol has another name.</summary>
    public IReadOnlyList<Address> Named(IReadOnlyList<Address> nodes) =>
        Tls is null ? nodes : [.. nodes.Select(n => Userfault.Nodes.NodeSystem.AddressOf(SystemName, n.Host, n.Port!.Value, isTls: true))];
}
