using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Pages that a <c>userfault serve</c> process gets by itself: out of an image, or from sources of a cluster.
/// </summary>
/// <param name="arguments">What was given.</param>
internal sealed class HandlerFeed(MigrateArguments arguments) : IPageFeed
{
    /// <summary>The guest checks every page against an image of its own.</summary>
    public bool BringsImage => false;

    /// <summary>The options with which the handler gets them.</summary>
    public IReadOnlyList<string> HandlerArguments =>
        [
            .. Cluster is null ? OfImage() : ["--cluster", Cluster],
            .. arguments.Options.Overlay.Arguments(arguments.Result),
        ];

    private string? Cluster => arguments.Of(arguments.Options.Cluster);

    /// <summary>Looks at the nodes: the handler would refuse the same, and nobody sees its warnings.</summary>
    /// <exception cref="CliException">One is no address, or is beyond loopback without TLS.</exception>
    public void Check()
    {
        if (Cluster is null)
            return;
        var option = arguments.Options.Cluster.Name;
        var nodes = SourceSearch.Nodes(option, Cluster);
        SourceSearch.Tls(arguments.Settings, option, nodes, line => Console.Error.WriteLine($"userfault: {line}"));
    }

    public Task<RemoteImage?> Open(Action<string> failed, CancellationToken cancelled) =>
        Task.FromResult<RemoteImage?>(null);

    public Task<string> Describe() => Task.FromResult("served by a child process");

    public void Show(MigrationProgress progress) { }

    public Task<ClusterSummary?> End(MigrationReport report) => Task.FromResult<ClusterSummary?>(null);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IEnumerable<string> OfImage()
    {
        var (options, settings) = (arguments.Options, arguments.Settings);
        string[] path =
        [
            "--latency",
            settings.Get("source.latency").Value,
            "--bandwidth",
            settings.Get("source.bandwidth").Value,
        ];
        if (arguments.Of(options.Image) is { } image)
            return [.. path, "--image", image];
        string[] synthetic =
        [
            "--synthetic",
            arguments.Of(options.Synthetic) ?? "128M",
            "--seed",
            settings.Get("seed").Value,
        ];
        return arguments.Of(options.ZeroShare) is { } zero
            ? [.. path, .. synthetic, "--zero-share", zero]
            : [.. path, .. synthetic];
    }
}
