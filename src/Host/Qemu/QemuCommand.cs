using System.CommandLine;

namespace Userfault.Cli;

/// <summary><c>userfault qemu</c>: guests that QEMU has saved.</summary>
internal static class QemuCommand
{
    public static Command Create() =>
        new("qemu", "Restore guests that QEMU has saved, page by page as they run.")
        {
            SaveCommand.Create(),
            QemuInfoCommand.Create(),
            RestoreCommand.Create(),
        };
}
