using System.Diagnostics;

namespace Userfault.Tests;

/// <summary>A file as a block device, for as long as a test runs.</summary>
internal sealed class LoopDevice : IDisposable
{
    private LoopDevice(string path) => Path = path;

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Makes one of a file; the test is skipped, with the reason, where none is to be had.</summary>
    public static LoopDevice Of(string file)
    {
        var (code, said) = Run("--show", "-f", file);
        Skip.If(code != 0, $"no loop device: {said}");
        return new LoopDevice(said);
    }

    public void Dispose() => Run("-d", Path);

    private static (int Code, string Said) Run(params string[] args)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo("losetup", args) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
            var said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, said.Trim());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
