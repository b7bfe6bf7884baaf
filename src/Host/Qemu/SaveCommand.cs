using System.CommandLine;
using Userfault.Linux;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary><c>userfault qemu save</c>: has QEMU save a guest in a form that can be restored page by page.</summary>
internal static class SaveCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "where the guest goes" };
        var monitor = new Option<string>("--qmp")
        {
            Description = "QEMU's monitor (-qmp unix:PATH,server=on,wait=off)",
            HelpName = "SOCKET",
            Required = true,
        };
        var save = new Command("save", "Stop a guest and save it; QEMU 9.0 and later put pages at fixed offsets.")
        {
            file,
            monitor,
        };
        save.SetAction(
            (result, cancelled) =>
                BadInput.Guard(() => Run(result.GetRequiredValue(file), result.GetRequiredValue(monitor), cancelled))
        );
        return save;
    }

    private static async Task<int> Run(string file, string monitor, CancellationToken cancelled)
    {
        var path = Path.GetFullPath(file);
        // A link stays one; what is no file, such as a disk, would be replaced by one.
        var target = WholeFile.TargetOf(path);
        if (FileStamp.TryOf(path) is { Kind: FileKind.Other or FileKind.BlockDevice })
            throw new CliException($"{file}: is a device or a pipe; name a file");
        if (Directory.Exists(path))
            throw new CliException($"{file}: is a folder; name a file");
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw new CliException($"{file}: there is no folder {Path.GetDirectoryName(path)}; make it first");
        await using var qemu = await QmpClient.ConnectAsync(monitor, Patience, TimeProvider.System, cancelled);
        var startedAt = TimeProvider.System.GetTimestamp();
        try
        {
            await QmpSave.SaveAsync(qemu, target, cancelled);
        }
        catch (OperationCanceledException)
        {
            throw new InterruptedException();
        }

        var elapsed = TimeProvider.System.GetElapsedTime(startedAt);
        Console.WriteLine(
            $"saved {file}: {Units.Size(new FileInfo(path).Length)} in {Units.Duration(elapsed.TotalNanoseconds)} by "
                + $"QEMU {qemu.Version}; the guest is stopped"
        );
        return ExitCodes.Success;
    }
}
