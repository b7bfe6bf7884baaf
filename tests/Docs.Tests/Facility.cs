using System.Runtime.InteropServices;
using Userfault.Linux;

namespace Userfault.Docs.Tests;

/// <summary>What some commands need of a machine, by the name that documents use above their blocks.</summary>
internal static class Facility
{
    /// <summary>Why a facility is not here, in one line; null where it is.</summary>
    /// <param name="name">Its name; null is no facility.</param>
    public static string? WhyNot(string? name) =>
        name switch
        {
            null => null,
            "userfaultfd" => OperatingSystem.IsLinux() ? Userfaultfd.WhyNot() : "userfaultfd is a facility of Linux",
            "kvm" => WhyNoKvm(),
            "qemu" => WhyNoQemu(),
            _ => throw new ArgumentException($"no facility is named {name}; add it here"),
        };

    // A destination of a post-copy migration; 7.2 asks for userfaultfd by the system call alone.
    private static string? WhyNoQemu() =>
        !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64
            ? "the documents' guests are for Linux on x86-64"
        : !IsOnPath("qemu-system-x86_64") ? "qemu-system-x86_64 is not installed here"
        : Userfaultfd.WhyNot(UffdWay.Syscall);

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string? WhyNoKvm()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return "real vCPUs need Linux on x86-64";
        }

        try
        {
            using var device = new FileStream("/dev/kvm", FileMode.Open, FileAccess.ReadWrite);
            return WhyNot("userfaultfd");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"/dev/kvm cannot be opened: {e.Message}";
        }
    }
}
