using System.Text;
using Userfault.Kernel.Tests.Cases;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>
/// The root file system of the emulated kernel: a shell, KVM's modules, .NET, and this folder's programs.
/// </summary>
internal static class Initramfs
{
    private const string App = "app";
    private const string ModuleFolder = "modules";

    // The shell's own names for its parts; its folder is searched first.
    private static readonly string[] Commands = ["sh", "mount", "insmod", "ifconfig", "poweroff", "cat", "env"];

    /// <summary>Writes it to a file.</summary>
    public static async Task WriteAsync(string path, KernelFiles kernel, byte[] shell)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20);
        using var archive = new CpioArchive(file);
        foreach (var folder in (string[])["proc", "sys", "dev", "tmp", "root"])
            archive.AddFolder(folder);
        archive.AddFile("bin/busybox", shell);
        foreach (var command in Commands)
            archive.AddLink($"bin/{command}", "busybox");
        foreach (var (name, content) in kernel.Modules)
            archive.AddFile($"{ModuleFolder}/{name}", content);
        await HostRuntime.AddToAsync(archive);
        archive.AddTree(App, Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        archive.AddFile("init", Encoding.UTF8.GetBytes(Init(kernel)));
    }

    private static string Init(KernelFiles kernel) =>
        $"""
            #!/bin/sh
            mount -t proc proc /proc
            mount -t sysfs sys /sys
            mount -t devtmpfs dev /dev
            mount -t tmpfs tmp /tmp
            ifconfig lo up
            {string.Join('\n', kernel.Modules.Select(module => $"insmod /{ModuleFolder}/{module.Name}"))}
            export PATH=/bin:/{HostRuntime.Root} HOME=/root TERM=dumb
            export DOTNET_ROOT=/{HostRuntime.Root} LD_LIBRARY_PATH=/{HostRuntime.Libraries}
            export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_EnableDiagnostics=0
            export {KernelChoice.Variable}={KernelChoice.Own}
            dotnet exec /{App}/{typeof(Initramfs).Assembly.GetName().Name}.dll
            poweroff -f

            """;
}
