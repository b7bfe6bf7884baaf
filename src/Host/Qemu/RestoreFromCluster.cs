using System.CommandLine;
using System.Net;
using System.Net.Security;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>
/// What guests are restored from where the file is elsewhere: its description from one source, its digests and its
/// pages from all of them. To be disposed of after the guests.
/// </summary>
internal sealed class RestoreFromCluster : IDisposable
{
    private static readonly TimeSpan WarmPatience = TimeSpan.FromSeconds(1);

    private readonly ClusterSources _pages;
    private readonly ClusterSources _digests;
    private readonly ClusterGuests _guests;
    private readonly Func<Action<string>, WorkingSet?> _findWorkingSet;

    private RestoreFromCluster(
        SourcesFound found,
        GuestDescription guest,
        SslClientAuthenticationOptions? tls,
        Func<string, bool> mayDial,
        ClusterSettings settings
    )
    {
        _findWorkingSet = log => SharedWorkingSets.Find(found, tls, mayDial, log);
        _pages = new ClusterSources(found, tls, mayDial, settings.Log);
        // One line for a source that is lost is enough.
        _digests = new ClusterSources(found, tls, mayDial, static _ => { }, ImageManifest.IdentityOf);
        _guests = new ClusterGuests(guest, found.Name, _pages.Set, _digests.Set, settings);
        _guests.Warm(WarmPatience);
    }

    /// <summary>What guests are restored from.</summary>
    public GuestSource Source => _guests.Source;

    /// <summary>What the sources did so far.</summary>
    public RestoreFromClusterFigures Figures => new(_pages.Seen, _guests.Counters, _guests.WrongPages);

    /// <summary>Finds the sources; null where none is to be asked. Blocks.</summary>
    /// <param name="options">The options.</param>
    /// <param name="result">What was given.</param>
    /// <param name="log">Told of sources that come and go.</param>
    /// <exception cref="CliException">A bad value, or nobody serves such a guest.</exception>
    public static RestoreFromCluster? TryOpen(RestoreFromClusterOptions options, ParseResult result, Action<string> log)
    {
        if (result.GetValue(options.Cluster) is not { } text)
        {
            Refuse(result, options.ImageId, options.SourcePatience, options.Overlay.ConfigFile, options.Overlay.Set);
            return null;
        }

        var settings = options.Overlay.Load(result);
        var cluster = options.SettingsOf(result, settings, log);
        var nodes = SourceSearch.Nodes(options.Cluster.Name, text);
        var tls = SourceSearch.Tls(settings, options.Cluster.Name, nodes, log);
        var found = SourceSearch.Find(nodes, tls, result.GetValue(options.ImageId));
        // What holds for the nodes that a user names holds for those that they name.
        var isAnywhere = tls is not null || settings.Switch(LoopbackRule.Key);
        bool MayDial(string host) => isAnywhere || LoopbackRule.IsLoopback(host);
        var servers = found.Servers.Where(s => nodes.Contains(s) || MayDial(HostOf(s)));
        var guest = RestoreFromClusterSearch.Describe([.. servers], found, tls);
        if (guest.Stream.Pages != found.Pages)
        {
            throw new CliException(
                $"{options.Cluster.Name}: a guest of {guest.Stream.Pages} pages, and an image of {found.Pages}; start "
                    + "the sources anew"
            );
        }

        return new RestoreFromCluster(found, guest, tls, MayDial, cluster);
    }

    /// <summary>The working set that the sources have of the guest; null where none has one. Blocks.</summary>
    /// <param name="log">Told which, or why there is none.</param>
    public WorkingSet? FindWorkingSet(Action<string> log) => _findWorkingSet(log);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The connections first: their threads hold pages against the digests.
        _pages.Dispose();
        _digests.Dispose();
        _guests.Dispose();
    }

    private static void Refuse(ParseResult result, params ReadOnlySpan<Option> options)
    {
        foreach (var option in options)
        {
            if (result.GetResult(option) is not null)
                throw new CliException($"{option.Name}: belongs to --cluster");
        }
    }

    private static string HostOf(EndPoint server) =>
        server is IPEndPoint ip ? ip.Address.ToString() : ((DnsEndPoint)server).Host;
}
