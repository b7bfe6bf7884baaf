using System.CommandLine;

namespace Userfault.Cli;

/// <summary><c>userfault migrate</c>: one process, a VM's post-copy migration from start to verified end.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var command = new Command(
            "migrate",
            "Migrate a guest's memory by post-copy, in this process or from the nodes of a cluster. Without options: "
                + "the sample trace."
        );
        var options = new MigrateOptions();
        options.AddTo(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options.Read(result), cancelled)));
        return command;
    }

    private static Task<int> Run(MigrateArguments arguments, CancellationToken cancelled)
    {
        var backend = arguments.Settings.OneOf<Backend>("backend");
        if (backend == Backend.Kvm)
        {
            arguments.Refuse(
                "real vCPUs have ways of their own; use `userfault kvm --mode`, or set userfault.kvm.mode",
                arguments.Options.Mode
            );
        }

        return MigrationProcedure.Run(
            arguments,
            backend,
            backend == Backend.Userfaultfd ? null : ClusterOf(arguments),
            cancelled
        );
    }

    private static ClusterRequest? ClusterOf(MigrateArguments arguments)
    {
        var option = arguments.Options.Cluster;
        if (arguments.Of(option) is not { } text)
            return null;
        var nodes = ClusterSetup.Nodes(option.Name, text);
        return nodes.Count > 0
            ? new ClusterRequest(option.Name, () => Task.FromResult(nodes))
            : throw Units.Bad(option.Name, text, "the address of a node, such as 127.0.0.1:7001");
    }
}
