using System.Diagnostics;

namespace Userfault.Mutants;

/// <summary>A program that is run to its end, or ended.</summary>
/// <param name="ExitCode">Its exit code; null where it did not end in time.</param>
/// <param name="Output">What it wrote, both ways.</param>
internal sealed record Child(int? ExitCode, string Output)
{
    private static readonly string Dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet";

    /// <summary>Runs <c>dotnet</c>.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="environment">Variables beside those that are there.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancelled">Ends it early.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no such program.</exception>
    public static async Task<Child> RunAsync(
        string folder, TimeSpan limit, IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments, CancellationToken cancelled)
    {
        var start = new ProcessStartInfo(Dotnet, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What an outer `dotnet test` has set for itself would lead an inner one astray.
        foreach (var name in start.Environment.Keys.Where(static n => n.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        late.CancelAfter(limit);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancelled.ThrowIfCancellationRequested();
            return new Child(null, await output + await error);
        }

        return new Child(process.ExitCode, await output + await error);
    }
}
