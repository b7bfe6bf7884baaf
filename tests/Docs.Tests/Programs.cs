using System.Diagnostics;

namespace Userfault.Docs.Tests;

/// <summary>Runs a program that was built beside the tests, to its end.</summary>
internal static class Programs
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Runs it; answers its exit code and its standard output.</summary>
    public static async Task<(int ExitCode, string Output)> Run(string program, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(Repository.Built, program + ".dll"), .. args])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        using var late = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', args)} did not end; so far: {await output}");
        }

        return (process.ExitCode, await output);
    }
}
