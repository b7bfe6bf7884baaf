using System.CommandLine;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault cluster keys</c>: an authority and certificates of nodes, for <c>userfault.cluster.tls</c>.
/// </summary>
internal static class KeysCommand
{
    public static Command Create()
    {
        var command = new Command(
            "keys",
            "Make a private authority and certificates of nodes, with a settings file each. In a folder that has an "
                + "authority: certificates of more nodes."
        );
        var folder = new Argument<string>("DIR")
        {
            Description = "folder for the files; made where there is none, and nothing in it is written over",
        };
        var nodes = new Option<string>("--nodes") { Description = "how many nodes (default 3)" };
        var days = new Option<string>("--days")
        {
            Description =
                $"how long the nodes' certificates are valid (default 825); the authority is for "
                + $"{KeyFolder.AuthorityDays} days, or for as long",
        };
        command.Arguments.Add(folder);
        command.Options.Add(nodes);
        command.Options.Add(days);
        command.SetAction(
            (result, _) =>
                BadInput.Guard(() =>
                {
                    Run(
                        new KeyFolder(result.GetValue(folder)!),
                        Units.Count(nodes.Name, result.GetValue(nodes) ?? "3", 1, 1000),
                        Units.Count(days.Name, result.GetValue(days) ?? "825", 1, 36500)
                    );
                    return Task.FromResult(ExitCodes.Success);
                })
        );
        return command;
    }

    private static void Run(KeyFolder folder, int nodes, int days)
    {
        var made = folder.Make(nodes, days, TimeProvider.System.GetUtcNow());
        if (made.IsNewAuthority)
        {
            Console.WriteLine(
                $"userfault cluster keys: authority {folder.AuthorityFile} until {made.AuthorityEnds:yyyy-MM-dd}; "
                    + $"keep {folder.AuthorityKeyFile} away from nodes"
            );
        }

        var nodesMade = made.First == made.Last ? $"node-{made.First}" : $"node-{made.First} to node-{made.Last}";
        Console.WriteLine(
            $"userfault cluster keys: {nodesMade} until {made.NodesEnd:yyyy-MM-dd}; "
                + $"start a node with --config {folder.NodeFile(made.First)}"
        );
    }
}
