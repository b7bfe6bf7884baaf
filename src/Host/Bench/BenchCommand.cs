using System.CommandLine;

namespace Userfault.Cli;

/// <summary><c>userfault bench</c>: measures what others have built.</summary>
internal static class BenchCommand
{
    public static Command Create() =>
        new("bench", "Measure page-fault handlers, this one's or any other.")
        {
            HandlerBenchCommand.Create(),
            TurnCommand.Create(),
        };
}
