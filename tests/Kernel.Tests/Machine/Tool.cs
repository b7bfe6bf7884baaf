using System.ComponentModel;
using System.Diagnostics;
using Userfault.Kernel.Tests.Cases;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>Runs a program of this machine to its end.</summary>
internal static class Tool
{
    /// <summary>Is there a program of this name?</summary>
    public static bool IsHere(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>Runs it; answers its standard output as text.</summary>
    /// <exception cref="KernelMissingException">It is not here, or it fails.</exception>
    public static async Task<string> RunAsync(string name, params string[] arguments)
    {
        var text = "";
        await RunAsync(
            name,
            arguments,
            async output =>
            {
                using var reader = new StreamReader(output);
                text = await reader.ReadToEndAsync();
            }
        );
        return text;
    }

    /// <summary>Runs it, and has its standard output read.</summary>
    /// <exception cref="KernelMissingException">It is not here, or it fails.</exception>
    public static async Task RunAsync(string name, string[] arguments, Func<Stream, Task> read, string? folder = null)
    {
        var start = new ProcessStartInfo(name, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
        };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync();
            await read(process.StandardOutput.BaseStream);
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
                throw new KernelMissingException($"{name} fails: {(await error).Trim().Split('\n')[0]}");
        }
        catch (Win32Exception e)
        {
            throw new KernelMissingException($"{name}: {e.Message}");
        }
    }
}
