using System.CommandLine;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>The options of a restore whose pages come from a cluster.</summary>
internal sealed class RestoreFromClusterOptions
{
    public RestoreFromClusterOptions()
    {
        Overlay.ConfigFile.Description =
            "with --cluster, HOCON file laid over akka.hocon: the certificates of a secured cluster "
            + "(userfault.cluster.tls), as `userfault cluster keys` makes it, and how pages are requested "
            + "(userfault.fetcher)";
    }

    public Option<string> Cluster { get; } =
        new("--cluster")
        {
            Description =
                "instead of a file: H:P,... of nodes that serve it (node --role source --image FILE), as they say "
                + "where they serve",
            HelpName = "H:P",
        };

    public Option<string> ImageId { get; } =
        new("--image-id")
        {
            Description = "which image, by the beginning of its identity, where the nodes serve several",
            HelpName = "ID",
        };

    public Option<string> SourcePatience { get; } =
        new("--source-patience")
        {
            Description = "how long pages may not come from the cluster before the restore ends (default 30s)",
            HelpName = "DURATION",
        };

    /// <summary>What is laid over akka.hocon.</summary>
    public SettingsOptions Overlay { get; } = new();

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(Cluster);
        command.Options.Add(ImageId);
        command.Options.Add(SourcePatience);
        Overlay.AddTo(command);
    }

    /// <summary>How sources are asked.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public ClusterSettings SettingsOf(ParseResult result, Settings settings, Action<string> log) =>
        new()
        {
            Fetch = FetcherSection.Of(settings),
            PatienceNs = Units.DurationNs(SourcePatience.Name, result.GetValue(SourcePatience) ?? "30s"),
            Log = log,
        };
}
