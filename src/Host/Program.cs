using System.CommandLine;
using System.Runtime.InteropServices;
using Userfault.Cli;
using Userfault.Linux;

// Each command has a folder. What several commands need is in Shared/, which refers to none of them.
// Bad options are one line and exit code 2, as every other bad input.
ErrorOutput.Install();
var root = new RootCommand("Post-copy live migration with KVM Userfault, as a cluster of actors.");
root.Subcommands.Add(MigrateCommand.Create());
root.Subcommands.Add(DemandPagingCommand.Create());
root.Subcommands.Add(KvmCommand.Create());
root.Subcommands.Add(InfoCommands.Image());
root.Subcommands.Add(InfoCommands.Trace());
root.Subcommands.Add(WorkingsetCommand.Create());
root.Subcommands.Add(NodeCommand.Create());
root.Subcommands.Add(
    new Command("cluster", "Clusters on this machine, and certificates for those on several.")
    {
        DemoCommand.Create(),
        KeysCommand.Create(),
    }
);
root.Subcommands.Add(StatusCommand.Create());
root.Subcommands.Add(SimulateCommand.Create());
root.Subcommands.Add(ModelCommand.Create());
root.Subcommands.Add(ServeCommand.Create());
root.Subcommands.Add(GuestCommand.Create());
root.Subcommands.Add(QemuCommand.Create());
root.Subcommands.Add(SweepCommand.Create());
root.Options.Add(Unforeseen.Verbose);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine($"userfault: {parsed.Errors[0].Message.ReplaceLineEndings(" ")}; see --help");
    return ExitCodes.BadInput;
}

// Ctrl-C cancels the command, which then ends in its own time: its last words are the report. A handler first puts in
// place what its guests miss, for as long as that takes.
var name = parsed.CommandResult.Command.Name;
var patience = name == ServeCommand.Name ? Timeout.InfiniteTimeSpan : TimeSpan.FromMinutes(1);
TerminationSignals.LetWritesFail();

// A terminal that is closed ends what others depend on in order, and everything else as ever; so does Ctrl-\, which
// stays the key for a command that does not end by itself.
using var signals = name is ServeCommand.Name or NodeCommand.Name
    ? new TerminationSignals(PosixSignal.SIGHUP, PosixSignal.SIGQUIT)
    : new TerminationSignals();
var unforeseen = new Unforeseen(Console.Error, parsed.GetValue(Unforeseen.Verbose));
unforeseen.CatchOnAllThreads();
return await unforeseen.Guard(() =>
    parsed.InvokeAsync(
        new InvocationConfiguration { ProcessTerminationTimeout = patience, EnableDefaultExceptionHandler = false },
        signals.Token
    )
);
