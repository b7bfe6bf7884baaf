using System.CommandLine;
using Akka.Actor;
using Userfault.Nodes;

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
        return new Command("cluster", "Clusters on this machine, and certificates for those on several.") { demo, KeysCommand.Create() };
    }

    private static async Task<int> Run(MigrateOptions options, Option<string> nodes, ParseResult result, CancellationToken cancelled)
    {
        var count = Units.Count(nodes.Name, result.GetValue(nodes) ?? "3", 1, 64);
        if (result.GetValue(options.Cluster) is not null)
            throw new CliException($"{options.Cluster.Name}: the demo starts a cluster of its own; use userfault migrate");
        var starting = new List<Task<ChildNode>>();
        try
        {
            return await ClusterMigration.Run(
                options, result, nodes.Name, () => StartAll(starting, count, (options, nodes.Name), result, cancelled), cancelled, adopts: false);
        }
        finally
        {
            // One that is still starting when another has failed is waited for: nothing stays behind.
            await Task.WhenAll(starting).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            var children = starting.Where(s => s.IsCompletedSuccessfully).Select(s => s.Result).ToList();
            children.ForEach(child => child.Stop());
            children.ForEach(child => child.Dispose());
        }
    }

    private static async Task<IReadOnlyList<Address>> StartAll(
        List<Task<ChildNode>> starting, int count, (MigrateOptions Options, string Name) given, ParseResult result, CancellationToken cancelled)
    {
        // The first begins the cluster; the others join it together.
        starting.Add(Start(0, count, null, given.Options, result, cancelled));
        var first = await starting[0];
        for (var i = 1; i < count; i++) starting.Add(Start(i, count, first.Address, given.Options, result, cancelled));
        await Task.WhenAll(starting);
        return ClusterSetup.Nodes(given.Name, first.Address);
    }

    private static async Task<ChildNode> Start(
        int number, int count, string? seed, MigrateOptions options, ParseResult result, CancellationToken cancelled)
    {
        var isSource = number < (count < 4 ? 1 : 2);
        var role = isSource ? NodeRoles.Source : NodeRoles.Fetcher;
        string[] seeds = seed is null ? [] : ["--seeds", seed];
        var child = await ChildNode.Start(role, [.. seeds, .. isSource ? ImageArgs(options, result) : ConfigArgs(options, result)], cancelled);
        await Console.Error.WriteLineAsync($"started {role} at {child.Address}, process {child.Id}");
        return child;
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
