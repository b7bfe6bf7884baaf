using System.CommandLine;
using Userfault.Fetch;
using Userfault.Handler;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What a handler's pages come from, opened by the options; ends with the command.</summary>
internal sealed class ServePages : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    private ServePages(PageSupply supply) => Supply = supply;

    public PageSupply Supply { get; private set; }

    /// <summary>Opens the image, or finds the sources.</summary>
    /// <exception cref="CliException">A bad value, or nobody serves the image.</exception>
    /// <exception cref="PagingException">A file that cannot be used.</exception>
    public static ServePages Open(ServeOptions options, ParseResult result, Settings settings, Action<string> log)
    {
        var cluster = result.GetValue(options.Cluster);
        var image = options.Image.TryOpen(result);
        if (cluster is not null && image is not null)
            throw new CliException("--cluster: pages come from the nodes; leave out --image and --synthetic");
        if (cluster is null && image is null)
            throw new CliException("serve: say which pages: --image F, --synthetic SIZE or --cluster H:P,...");
        return cluster is not null ? OfCluster(options, result, settings, log) : OfImage(options, result, image!);
    }

    public void Dispose()
    {
        foreach (var owned in Enumerable.Reverse(_owned))
            owned.Dispose();
    }

    private static ServePages OfImage(ServeOptions options, ParseResult result, IMemoryImage image)
    {
        var link = options.LinkOf(result);
        var record = result.GetValue(options.Record);
        var sets = options.WorkingSets;
        var replay = sets.Load(result, image.Identity, image.Pages, image.Name);
        sets.CheckMerge(result, record, image.Identity, image.Pages, image.Name);
        var merges = result.GetValue(sets.RecordMerge);
        if (link.IsInstant)
        {
            var plain = new ServePages(
                new PageSupply(image)
                {
                    RecordTo = record,
                    MergesRecord = merges,
                    Replay = replay,
                }
            );
            plain._owned.AddRange([image, plain.Supply]);
            return plain;
        }
        var sources = new SourceSet(TimeProvider.System.GetTimestamp);
        var pump = new SpinningPump();
        var source = new LocalPageSource(
            image,
            new LocalSourceSettings { Link = link, RememberedContents = 0 },
            pump.Wake
        );
        pump.Add(source);
        sources.Add(source);
        var pages = new ServePages(
            new PageSupply(sources, image)
            {
                RecordTo = record,
                MergesRecord = merges,
                Replay = replay,
            }
        );
        pages._owned.AddRange([image, source, pump, pages.Supply]);
        return pages;
    }

    private static ServePages OfCluster(ServeOptions options, ParseResult result, Settings settings, Action<string> log)
    {
        if (!options.LinkOf(result).IsInstant)
            throw new CliException("--latency and --bandwidth: belong to an image in this process");
        var nodes = SourceSearch.Nodes(options.Cluster.Name, result.GetValue(options.Cluster)!);
        var tls = SourceSearch.Tls(settings, options.Cluster.Name, nodes, log);
        var found = SourceSearch.Find(nodes, tls, result.GetValue(options.ImageId));
        // What holds for the nodes that a user names holds for those that they name.
        var isAnywhere = tls is not null || settings.Switch(LoopbackRule.Key);
        bool MayDial(string host) => isAnywhere || LoopbackRule.IsLoopback(host);
        var sets = options.WorkingSets;
        var record = result.GetValue(options.Record);
        sets.CheckMerge(result, record, found.Image, found.Pages, found.Name);
        var replay = result.GetValue(sets.Shared)
            ? SharedWorkingSets.Find(found, tls, MayDial, log) is { } shared
                ? sets.Bound(result, shared)
                : null
            : sets.Load(result, found.Image, found.Pages, found.Name);
        var sources = new ClusterSources(found, tls, MayDial, log);
        var pages = new ServePages(
            new PageSupply(sources.Set, found.Image, found.Pages, found.Name)
            {
                RecordTo = record,
                MergesRecord = result.GetValue(sets.RecordMerge),
                Replay = replay,
            }
        );
        pages._owned.Add(sources);
        return pages;
    }
}
