using System.Globalization;
using System.Net;
using Akka.Actor;
using Akka.Configuration;
using Userfault.Actors;
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
        _downing = split switch
        {
            "keep-destination" => typeof(SplitBrainProvider).FullName + ", Userfault.Actors",
            "keep-majority" => "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster",
            "off" => "",
            _ => throw Units.Bad(splitName, split, "keep-destination, keep-majority or off"),
        };
        // A value that is none must be said here: where it is used nobody hears of it.
        settings.DurationNs("cluster.stable-after");
        (Settings, _base) = (settings, settings.Config);
    }

    public Settings Settings { get; }

    private readonly Config _base;
    private readonly string _downing;

    public ClusterTls? Tls { get; }

    public IPAddress Host { get; }

    public string? Cookie { get; }

    public TimeSpan ReportEvery { get; }

    public TimeSpan RetryAfter { get; }

    public TimeSpan JoinTimeout { get; }

    public TimeSpan ClearEvery { get; }

    /// <summary>The configuration of a node's actor system.</summary>
    public Config ConfigOf(string role, int port) => ConfigurationFactory.ParseString(string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        akka.actor.provider = cluster
        akka.cluster.roles = ["{{role}}"]
        akka.remote.secure-cookie = "{{Escape(Cookie ?? "")}}"
        akka.loglevel = {{(role == NodeRoles.Observer ? "ERROR" : _base.GetString("akka.loglevel"))}}
        akka.cluster.downing-provider-class = "{{_downing}}"
        akka.cluster.split-brain-resolver.stable-after = "{{_base.GetString("userfault.cluster.stable-after")}}"
        {{TlsConfig()}}
        akka.remote.dot-netty.tcp.hostname = "{{Host}}"
        akka.remote.dot-netty.tcp.port = {{port}}
        """)).WithFallback(_base);

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
            nodes.Add(new Address("akka.tcp", SystemName, part[..colon], port));
        }

        return nodes;
    }

    /// <summary>The nodes' addresses as Akka knows them: with TLS the protocol has another name.</summary>
    public IReadOnlyList<Address> Named(IReadOnlyList<Address> nodes) =>
        Tls is null ? nodes : [.. nodes.Select(n => n.WithProtocol("akka.ssl.tcp"))];

    private string TlsConfig() => Tls is null ? "" :
        $$"""
        akka.remote.dot-netty.tcp.enable-ssl = on
        akka.remote.dot-netty.tcp.ssl.certificate.path = "{{Escape(Tls.Path)}}"
        akka.remote.dot-netty.tcp.ssl.certificate.password = "{{Escape(Tls.Password)}}"
        akka.remote.dot-netty.tcp.ssl.certificate-authority = "{{Escape(Tls.Authority)}}"
        """;

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
