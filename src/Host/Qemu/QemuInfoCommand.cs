using System.CommandLine;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary><c>userfault qemu info</c>: what a saved guest is, and what a destination for it needs.</summary>
internal static class QemuInfoCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "what QEMU has saved: migrate exec: or file:, or virsh save",
        };
        var json = new Option<bool>("--json") { Description = "as JSON" };
        var command = new Command(
            "info",
            "Say which machine, memory and devices a saved guest has, and which options its destination needs."
        )
        {
            file,
            json,
        };
        command.SetAction(
            (result, _) =>
                BadInput.Guard(() => Task.FromResult(Describe(result.GetRequiredValue(file), result.GetValue(json))))
        );
        return command;
    }

    private static int Describe(string path, bool isJson)
    {
        using var image = QemuImage.Open(path);
        var report = QemuInfoReport.Of(image);
        Console.Out.WriteLine(isJson ? report.Json() : report.Text());
        return ExitCodes.Success;
    }
}
