using System.CommandLine;
using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault node</c>.</summary>
internal sealed class NodeOptions
{
    public NodeOptions(Command command)
    {
        command.Options.Add(Role);
        command.Options.Add(Port);
        command.Options.Add(DataPort);
        command.Options.Add(Seeds);
        command.Options.Add(WorkingSet);
        command.Options.Add(UntilStdinCloses);
        Image.AddTo(command);
    }

    public Option<string> Role { get; } =
        new("--role")
        {
            Description =
                "source (has the image), fetcher (asks the sources for others) or destination (waits for them, then "
                + "migrates the guest to itself)",
            Required = true,
        };

    public Option<string> Port { get; } =
        new("--port") { Description = "TCP port of the cluster; 0 (default) is any free one" };

    public Option<string> DataPort { get; } =
        new("--data-port") { Description = "TCP port of the page data plane; 0 (default) is any free one" };

    public Option<string> Seeds { get; } =
        new("--seeds") { Description = "nodes to join, H:P,...; none begins a new cluster" };

    public Option<string> WorkingSet { get; } =
        new("--working-set")
        {
            Description =
                "a source's working set of its image, for destinations with --replay-shared; looked at again when the "
                + "file changes",
            HelpName = "FILE",
        };

    public Option<bool> UntilStdinCloses { get; } =
        new("--until-stdin-closes") { Description = "end when standard input is closed", Hidden = true };

    /// <summary>Where the image comes from, and the settings; for a destination the options of migrate.</summary>
    public MigrateOptions Image { get; } = new();

    /// <summary>Nodes to join at.</summary>
    /// <exception cref="CliException">One is no address.</exception>
    public IReadOnlyList<Address> SeedsOf(ParseResult result) => ClusterSetup.Nodes(Seeds.Name, result.GetValue(Seeds));

    /// <summary>What the node is in its cluster.</summary>
    /// <param name="result">What was given.</param>
    /// <param name="report">What there is to say of it.</param>
    /// <exception cref="CliException">A bad value.</exception>
    public MembershipSettings MembershipOf(ParseResult result, Func<NodeReport> report) =>
        new(result.GetValue(Role)!, PortOf(result, Port), Seeds.Name, SeedsOf(result)) { Report = report };

    public static int PortOf(ParseResult result, Option<string> option) =>
        Units.Count(option.Name, result.GetValue(option) ?? "0", 0, 65535);
}
