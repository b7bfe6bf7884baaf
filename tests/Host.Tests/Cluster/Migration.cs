using System.Diagnostics;
using System.Text.Json;
using Userfault.Cli;

namespace Userfault.Host.Tests.Cluster;

/// <summary>A migration in a process of its own, with its progress read line by line and its report as JSON.</summary>
internal static class Migration
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly string Patient = Path.Combine(AppContext.BaseDirectory, "Cluster", "patient.hocon");

    /// <summary>The next line of progress that holds this and is past the beginning.</summary>
    public static async Task<string> Line(Process process, string part) => (await Lines(process, part))[0];

    /// <summary>
    /// For each part the next line that holds it and is past the beginning, in the order of the parts. The lines may
    /// come in any order.
    /// </summary>
    public static async Task<string[]> Lines(Process process, params string[] parts)
    {
        // With the JSON on standard output the progress is on standard error.
        using var late = new CancellationTokenSource(Patience);
        var found = new string?[parts.Length];
        var said = "";
        try
        {
            while (await process.StandardError.ReadLineAsync(late.Token) is { } line)
            {
                said += line + "\n";
                if (line.Contains(" 0/", StringComparison.Ordinal))
                    continue;
                for (var i = 0; i < parts.Length; i++)
                    found[i] ??= line.Contains(parts[i], StringComparison.Ordinal) ? line : null;
                if (!found.Contains(null))
                    return found!;
            }
        }
        catch (OperationCanceledException)
        {
            said += $"nothing more within {Patience.TotalMinutes} minutes";
        }

        var missing = parts.Where((_, i) => found[i] is null);
        throw new InvalidOperationException($"it did not say '{string.Join("', '", missing)}': {said}");
    }

    /// <summary>Waits for its end; the report is whole, verified and right.</summary>
    public static async Task<JsonElement> End(Process migration)
    {
        using var late = new CancellationTokenSource(Patience);
        var error = migration.StandardError.ReadToEndAsync(late.Token);
        try
        {
            var output = await migration.StandardOutput.ReadToEndAsync(late.Token);
            await migration.WaitForExitAsync(late.Token);
            return Report(migration.ExitCode, output, await error);
        }
        finally
        {
            if (!migration.HasExited)
                migration.Kill();
        }
    }

    public static JsonElement Report(int exitCode, string output, string error)
    {
        Assert.True(exitCode == 0, $"exit code {exitCode}: {error}");
        var report = JsonDocument.Parse(output).RootElement;
        Assert.Equal("completed", report.GetProperty("state").GetString());
        Assert.True(report.GetProperty("verified").GetBoolean());
        Assert.Equal(0, report.GetProperty("details").GetProperty("verification").GetProperty("wrong").GetInt32());
        return report;
    }

    /// <summary>Every vCPU of the report has made all its accesses.</summary>
    public static void AllVcpusFinished(JsonElement report, int accesses) =>
        Assert.All(
            report.GetProperty("details").GetProperty("vcpus").EnumerateArray(),
            vcpu => Assert.Equal(accesses, vcpu.GetProperty("accesses").GetInt32())
        );

    /// <summary>
    /// The cluster as a node sees it: what the command asks and shows, asked in this process, since a process of its
    /// own for each look takes the processor from those that are looked at.
    /// </summary>
    public static async Task<JsonElement> Status(string node)
    {
        var nodes = await StatusCommand.Ask(
            ClusterSetup.Open(Settings.Load(Patient)),
            "--cluster",
            ClusterSetup.Nodes("--cluster", node),
            CancellationToken.None
        );
        return JsonDocument.Parse(StatusReport.Json(nodes)).RootElement;
    }

    /// <summary>The same by the command, in a network namespace; null is where the tests run.</summary>
    public static async Task<JsonElement> StatusIn(string? network, string node, string? config = null)
    {
        var run = await CommandLine.RunIn(
            network,
            "status",
            "--cluster",
            node,
            "--json",
            "--config",
            config ?? Patient
        );
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }

    /// <summary>Members as "address reachable", in order.</summary>
    public static string Members(JsonElement status) =>
        string.Join(
            ", ",
            status
                .GetProperty("nodes")
                .EnumerateArray()
                .Select(n => $"{n.GetProperty("node").GetString()} {n.GetProperty("reachable").GetBoolean()}")
                .Order(StringComparer.Ordinal)
        );
}
