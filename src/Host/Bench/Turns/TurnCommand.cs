using System.CommandLine;

namespace Userfault.Cli;

/// <summary>The hidden command that makes one turn and writes its result as one line.</summary>
internal static class TurnCommand
{
    /// <summary>Its name below <c>bench</c>.</summary>
    public const string Name = "handler-turn";

    public static Command Create()
    {
        var command = new Command(Name, "One turn of bench handler.") { Hidden = true };
        var socket = new Option<string>("--socket") { Required = true };
        var turn = new Option<string>("--turn") { Required = true };
        var image = new ImageOptions();
        command.Options.Add(socket);
        command.Options.Add(turn);
        image.AddTo(command);
        command.SetAction(
            (result, cancelled) =>
                BadInput.Guard(() =>
                {
                    using var ends = new CancellationTokenSource();
                    // Its parent is gone, or it was interrupted: a thread may sleep on a page for ever.
                    using var gone = ends.Token.Register(static () => Environment.Exit(ExitCodes.Interrupted));
                    using var interrupted = cancelled.Register(ends.Cancel);
                    StandardInput.EndWith(ends);
                    using var pages = image.TryOpen(result);
                    var settings = TurnSettings.Parse(result.GetValue(socket)!, result.GetValue(turn)!);
                    Console.Out.WriteLine(TurnRun.Of(settings, pages).ToLine());
                    Console.Out.Flush();
                    return Task.FromResult(ExitCodes.Success);
                })
        );
        return command;
    }
}
