using System.Diagnostics;
using System.Text.Json.Nodes;
using Userfault.Tests;

namespace Userfault.Bench.Qemu;

/// <summary>The command as a user types it, in a process of its own.</summary>
internal static class RestoreProcess
{
    /// <summary>Restores a guest; answers what the report says of it.</summary>
    public static async Task<JsonNode> Run(TemporaryFolder folder, QemuProcess qemu, string file, string[] more)
    {
        var report = folder.At("report.json");
        string[] arguments =
        [
            .. (ReadOnlySpan<string>)[Path.Combine(AppContext.BaseDirectory, "userfault.dll"), "qemu", "restore", file],
            .. (ReadOnlySpan<string>)["--to", $"unix:{folder.At("to.sock")}", "--qmp", qemu.QmpPath],
            .. (ReadOnlySpan<string>)["--json", report],
            .. more,
        ];
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var error = process.StandardError.ReadToEndAsync();
        _ = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? JsonNode.Parse(await File.ReadAllTextAsync(report))!["guests"]![0]!
            : throw new InvalidOperationException($"qemu restore: {await error}{qemu.Error}");
    }
}
