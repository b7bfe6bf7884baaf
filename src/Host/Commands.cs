using System.CommandLine;

namespace Userfault.Cli;

/// <summary>
/// The commands by name. A process runs one of them, and only that one is made: the options of all the others would be
/// compiled for nothing.
/// </summary>
internal static class Commands
{
    /// <summary>All of them, in the order in which they are listed.</summary>
    public static readonly IReadOnlyList<(string Name, Func<Command> Create)> All =
    [
        ("migrate", MigrateCommand.Create),
        ("demand-paging", DemandPagingCommand.Create),
        ("kvm", KvmCommand.Create),
        ("image", InfoCommands.Image),
        ("trace", InfoCommands.Trace),
        ("workingset", WorkingsetCommand.Create),
        (NodeCommand.Name, NodeCommand.Create),
        ("cluster", Cluster),
        ("status", StatusCommand.Create),
        ("simulate", SimulateCommand.Create),
        ("model", ModelCommand.Create),
        (ServeCommand.Name, ServeCommand.Create),
        ("guest", GuestCommand.Create),
        ("bench", BenchCommand.Create),
        ("qemu", QemuCommand.Create),
        ("sweep", SweepCommand.Create),
    ];

    /// <summary>
    /// The commands that a command line can need: the one that its first word names; none for the version alone; where
    /// it is anything else, all of them, for help and for complaints.
    /// </summary>
    public static IEnumerable<Command> For(IReadOnlyList<string> args)
    {
        if (args is ["--version"])
            return [];
        foreach (var arg in args)
        {
            if (arg == Unforeseen.Verbose.Name)
                continue;
            foreach (var (name, create) in All)
            {
                if (name == arg)
                    return [create()];
            }

            break;
        }

        return All.Select(static command => command.Create());
    }

    private static Command Cluster() =>
        new("cluster", "Clusters on this machine, and certificates for those on several.")
        {
            DemoCommand.Create(),
            KeysCommand.Create(),
        };
}
