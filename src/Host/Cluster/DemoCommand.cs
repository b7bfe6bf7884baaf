using System.CommandLine;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary><c>userfault cluster demo</c>: starts local nodes, migrates from them, reports, and stops them.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var demo = new Command("demo", "Start nodes on this machine, migrate a guest from them, report, and stop them.");
        var nodes = new Option<string>("--nodes") { Description = "processes to start (default 3): one source, from 4 on two; the others are fetchers" };
        demo.Options.Add(nodes);
        var options = new MigrateOptions();
        options.AddTo(demo);
        demo.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, nodes, result, cancelled)));
        return new Command("cluster", "Clusters on this machine.") { demo };
    }

    private static async Task<int> Run(MigrateOptions options, Option<string> nodes, ParseResult result, CancellationToken cancelled)
    {
        var count = Units.Count(nodes.Name, result.GetValue(nodes) ?? "3", 1, 64);
        if (result.GetValue(options.Cluster) is not null)
            throw new CliException($"{options.Cluster.Name}: the demo starts a cluster of its own; use userfault migrate");
        var sources = count < 4 ? 1 : 2;
        var children = new List<ChildNode>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var isSource = i < sources;
                string[] seeds = i == 0 ? [] : ["--seeds", children[0].Address];
                var child = await ChildNode.Start(
                    isSource ? NodeRoles.Source : NodeRoles.Fetcher,
                    [.. seeds, .. isSource ? ImageArgs(options, result) : ConfigArgs(options, result)], cancelled);
                children.Add(child);
                await Console.Error.WriteLineAsync($"started {(isSource ? NodeRoles.Source : NodeRoles.Fetcher)} at {child.Address}, process {child.Id}");
            }

            return await ClusterMigration.Run(
                options, result, nodes.Name, ClusterSetup.Nodes(nodes.Name, children[0].Address), cancelled);
        }
        finally
        {
            children.ForEach(child => child.Stop());
            children.ForEach(child => child.Dispose());
        }
    }

    private static IEnumerable<string> ConfigArgs(MigrateOptions options, ParseResult result) =>
        Given(result, options.ConfigFile);

    private static IEnumerable<string> ImageArgs(MigrateOptions options, ParseResult result) => Given(
        result, options.Image, options.ImageFormat, options.Synthetic, options.ZeroShare, options.DuplicateShare,
        options.ConfigFile, options.Seed);

    private static IEnumerable<string> Given(ParseResult result, params Option<string>[] options) =>
        from option in options
        let value = result.GetValue(option)
        where value is not null
        from arg in new[] { option.Name, value }
        select arg;
}
