using System.Diagnostics;

namespace Userfault.Tests;

/// <summary>Asks the kernel's own headers, by way of a C compiler, where there is one.</summary>
internal static class CCompiler
{
    /// <summary>
    /// Compiles and runs a program; each line that it prints is "name value". Skips the test without a compiler.
    /// </summary>
    public static Dictionary<string, long> Ask(string program)
    {
        using var folder = new TemporaryFolder();
        var source = folder.Write("ask.c", program);
        var binary = folder.At("ask");
        Skip.IfNot(File.Exists("/usr/bin/cc"), "no C compiler (cc) on this machine");
        var (code, output) = Run("/usr/bin/cc", "-o", binary, source);
        Assert.True(code == 0, output);
        (code, output) = Run(binary);
        Assert.True(code == 0, output);
        return output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .ToDictionary(
                words => words[0],
                words => long.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture)
            );
    }

    private static (int Code, string Output) Run(string file, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }
}
