using Userfault.Cli;
using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>What tests of real nodes share: the nodes end with the test.</summary>
public abstract class ClusterSpec : IDisposable
{
    // A machine that does much else takes its time to let a node in.
    private protected const string Patient = "join-timeout = 120s";

    private protected static readonly string[] Image = ["--synthetic", "32M"];

    // Four vCPUs, 2000 random accesses each, some seconds of guest time: long enough to do something meanwhile.
    private protected static readonly string[] SlowGuest =
    [
        .. Image,
        "--pattern",
        "random",
        "--overlapping",
        "--accesses",
        "2000",
        "--ips",
        "1e6",
        "--background",
        "none",
        "--json",
        "-",
    ];

    private readonly List<NodeProcess> _nodes = [];

    private protected TemporaryFolder Folder { get; } = new();

    public void Dispose()
    {
        _nodes.ForEach(node => node.Dispose());
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected async Task<NodeProcess> Start(string role, params string[] args)
    {
        var node = await NodeProcess.Start(role, args);
        _nodes.Add(node);
        return node;
    }

    private protected string[] Config(params string[] settings) =>
        [
            "--config",
            Folder.Write(
                $"{string.Concat(settings).GetHashCode(StringComparison.Ordinal):x}.hocon",
                $"userfault.cluster {{ {string.Join(", ", settings)} }}"
            ),
        ];

    private protected static async Task Agree(params NodeProcess[] survivors) =>
        await Eventually.Holds(async () =>
        {
            var views = new List<string>();
            foreach (var survivor in survivors)
                views.Add(Migration.Members(await Migration.Status(survivor.Address)));
            return views.Distinct().Count() == 1
                && !views[0].Contains("False", StringComparison.Ordinal)
                && survivors.All(s => views[0].Contains(s.Address, StringComparison.Ordinal));
        });

    private protected static bool Said(NodeProcess node, NodeEvent what) => node.Count(what) > 0;
}
