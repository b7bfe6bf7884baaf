using System.Net;
using System.Net.Security;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Gets the working set that the nodes have of an image. All are asked at once; of what is right, the latest state is
/// taken. It is advice: a guest does not wait for a node that is slow, and comes up without one as well.
/// </summary>
internal sealed class SharedWorkingSets
{
    private const int PatienceMs = 2000;

    // How long the others are waited for once one node has sent one.
    private const int OthersMs = 300;

    private readonly object _lock = new();
    private (EndPoint Server, WorkingSet Set)? _best;
    private string _said = "no source is known";
    private int _left;

    /// <summary>Asks the sources of an image that was found. Blocks.</summary>
    /// <param name="found">The image, and who serves it.</param>
    /// <param name="tls">TLS; null for none.</param>
    /// <param name="mayDial">May a node that the user has not named be connected to?</param>
    /// <param name="log">Told which set is replayed, or why none.</param>
    public static WorkingSet? Find(
        SourcesFound found,
        SslClientAuthenticationOptions? tls,
        Func<string, bool> mayDial,
        Action<string> log
    ) =>
        Find(
            found
                .Servers.Where(s => found.Nodes.Contains(s) || mayDial(HostOf(s)))
                .Select(s => (new PageClientOptions { Server = s, Tls = tls }, found.Image)),
            found.Pages,
            log
        );

    /// <summary>Asks the nodes that serve an image, on a thread of its own.</summary>
    /// <param name="setup">How nodes are reached.</param>
    /// <param name="offers">What they serve: one image.</param>
    public static Task<WorkingSet?> Find(ClusterSetup setup, IReadOnlyList<SourceListing> offers)
    {
        var servers = offers
            .DistinctBy(static o => (o.Host, o.Port))
            .Select(o =>
                (setup.ClientOptions(default) with { Server = SourceSearch.EndPointOf(o.Host, o.Port) }, o.Image)
            )
            .ToList();
        var done = new TaskCompletionSource<WorkingSet?>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
            done.SetResult(
                Find(
                    servers,
                    offers is [var offer, ..] ? offer.PageCount : 0,
                    static line => Console.Error.WriteLine($"userfault: {line}")
                )
            )
        )
        {
            IsBackground = true,
            Name = "working sets",
        }.Start();
        return done.Task;
    }

    /// <summary>Asks sources. Blocks.</summary>
    /// <param name="servers">Each source, and by which identity it has the image.</param>
    /// <param name="pages">The image's pages.</param>
    /// <param name="log">Told which set is replayed, or why none.</param>
    public static WorkingSet? Find(
        IEnumerable<(PageClientOptions Server, ImageIdentity Image)> servers,
        ulong pages,
        Action<string> log
    )
    {
        var asked = servers.ToList();
        var search = new SharedWorkingSets { _left = asked.Count };
        foreach (var (server, image) in asked)
        {
            new Thread(() => search.Ask(server, image, pages)) { IsBackground = true, Name = "working sets" }.Start();
        }

        return search.Wait(log);
    }

    private void Ask(PageClientOptions server, ImageIdentity image, ulong pages)
    {
        WorkingSet? set = null;
        var said = "";
        try
        {
            set = WorkingSetDownload.From(server, image, pages);
        }
        catch (Exception e) when (e is PagingException or PageConnectionException)
        {
            said = e.Message;
        }

        lock (_lock)
        {
            if (set is null)
                _said = said;
            else if (_best is not { } best || IsLater(set, best.Set))
                _best = (server.Server, set);
            _left--;
            Monitor.PulseAll(_lock);
        }
    }

    private static bool IsLater(WorkingSet set, WorkingSet than) =>
        (set.Generation, set.Recordings).CompareTo((than.Generation, than.Recordings)) > 0;

    private WorkingSet? Wait(Action<string> log)
    {
        var begun = TimeProvider.System.GetTimestamp();
        int LeftOf(int ms) => ms - (int)TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds;
        lock (_lock)
        {
            while (_best is null && _left > 0 && LeftOf(PatienceMs) is > 0 and var ms)
                Monitor.Wait(_lock, ms);
            begun = TimeProvider.System.GetTimestamp();
            while (_left > 0 && _best is not null && LeftOf(OthersMs) is > 0 and var ms)
                Monitor.Wait(_lock, ms);
            if (_best is not var (server, set))
            {
                var why = _left > 0 ? $"none came within {PatienceMs / 1000} s" : _said;
                log($"no node has a working set of this image ({why}); none is replayed");
                return null;
            }

            log(
                $"replays the working set of {server}: {set.TouchedPages} pages of {set.Recordings} recordings, "
                    + $"generation {set.Generation}"
            );
            return set;
        }
    }

    private static string HostOf(EndPoint server) =>
        server is IPEndPoint ip ? ip.Address.ToString() : ((DnsEndPoint)server).Host;
}
