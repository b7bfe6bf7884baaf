using System.Diagnostics;

namespace Userfault.Host.Tests;

/// <summary>Runs the command as a user does: a process of its own, its output and exit code read.</summary>
internal static class CommandLine
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>The command's assembly, built beside the tests.</summary>
    public static string Assembly { get; } =
        Path.Combine(
            Path.GetDirectoryName(System.Reflection.Assembly.GetExecutingAssembly().Location)!,
            "userfault.dll"
        );

    // A shell without job control starts what goes on in the background with SIGINT and SIGQUIT ignored, nohup with
    // SIGHUP, and children inherit that.
    private static bool IgnoresSignals { get; } =
        OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status")
            .Where(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))
            .Any(line => (Convert.ToUInt64(line[7..].Trim(), 16) & 0b111) != 0);

    /// <summary>The words before a program that give it the default action of every signal that tests send.</summary>
    public static string[] DefaultSignals => IgnoresSignals ? ["env", "--default-signal=HUP,INT,QUIT"] : [];

    public static Task<Result> Run(params string[] args) => RunIn(null, args);

    /// <summary>Runs it in a network namespace; null is where the tests run.</summary>
    public static async Task<Result> RunIn(string? network, params string[] args)
    {
        using var process = StartIn(network, args);
        using var late = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"userfault {string.Join(' ', args)} did not end; so far: {await output} {await error}");
        }

        return new Result(process.ExitCode, await output, await error);
    }

    public static Process Start(params string[] args) => StartIn(null, args);

    /// <summary>
    /// Starts it in a network namespace; null is where the tests run. The process is the command's own either way.
    /// </summary>
    public static Process StartIn(string? network, params string[] args)
    {
        string[] words =
        [
            .. network is null ? Array.Empty<string>() : ["ip", "netns", "exec", network],
            .. DefaultSignals,
            "dotnet",
            "exec",
            Assembly,
            .. args,
        ];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // No place at all: nothing that a test leaves behind helps another.
        start.Environment["XDG_CACHE_HOME"] = "/dev/null/none";
        // Most of a short command's time is compiling itself.
        start.Environment["DOTNET_TC_QuickJit"] = "1";
        return OwnedProcess.Of(start);
    }

    internal sealed record Result(int ExitCode, string Output, string Error)
    {
        /// <summary>Bad input: exit code 2, nothing on standard output, and one line that holds all of these.</summary>
        public void IsBadInput(params string[] parts)
        {
            Assert.Equal(2, ExitCode);
            var line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            foreach (var part in parts)
                Assert.Contains(part, line, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        }
    }
}
