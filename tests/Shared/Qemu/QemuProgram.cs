using System.ComponentModel;
using System.Diagnostics;
using Userfault.Linux;

namespace Userfault.Tests;

/// <summary>The QEMU of this machine, which tests need that run it.</summary>
internal static class QemuProgram
{
    /// <summary>Its command.</summary>
    public const string Command = QemuOptions.Command;

    private const string Greeting = "QEMU emulator version ";

    private static readonly Lazy<Version?> Found = new(Ask);

    /// <summary>Is it here?</summary>
    public static bool IsHere => Found.Value is not null;

    /// <summary>Its version.</summary>
    public static Version Version => Found.Value ?? throw new InvalidOperationException($"{Command} is not here");

    /// <summary>Does it save pages at fixed offsets of a file?</summary>
    public static bool HasMappedRam => IsHere && Version >= new Version(9, 0);

    /// <summary>Skips the test where there is none.</summary>
    public static void IsNeeded() =>
        Skip.IfNot(IsHere, $"{Command} is not installed here (Debian: apt-get install qemu-system-x86)");

    /// <summary>Skips the test where none can be the destination of a post-copy migration.</summary>
    public static void IsNeededAsDestination()
    {
        IsNeeded();
        // QEMU 7.2 asks by the system call alone, and for faults of the kernel too.
        Here.NeedsUserfaultfd(UffdWay.Syscall);
    }

    /// <summary>Skips the test where there is none that knows mapped-ram.</summary>
    public static void MappedRamIsNeeded()
    {
        IsNeeded();
        Skip.IfNot(HasMappedRam, $"mapped-ram is in QEMU since 9.0, and this is {Version}");
    }

    private static Version? Ask()
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(Command, ["--version"])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            _ = error.Result;
            return output.StartsWith(Greeting, StringComparison.Ordinal)
                ? Version.Parse(output[Greeting.Length..].Split(' ', '\n', '-', '(')[0])
                : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
