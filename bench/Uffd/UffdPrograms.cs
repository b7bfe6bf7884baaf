using System.Diagnostics;
using System.Globalization;
using Userfault.Mmu;

namespace Userfault.Bench.Uffd;

/// <summary>
/// The programs of the userfaultfd benchmark, compiled and found, and an image whose pages say their numbers.
/// </summary>
internal sealed class UffdPrograms
{
    private readonly string _folder;
    private readonly string _toucher;
    private readonly string _handler;
    private readonly string _bytes;
    private int _rounds;

    public UffdPrograms(string folder, int pages)
    {
        (_folder, _toucher, _handler) = (folder, Path.Combine(folder, "toucher"), Path.Combine(folder, "uffd_handler"));
        _bytes = ((long)pages * Page.Size).ToString(CultureInfo.InvariantCulture);
        Image = Path.Combine(folder, "image.raw");
        WriteImage(Image, pages);
        Missing =
            !File.Exists("/dev/userfaultfd") && !OperatingSystem.IsLinux() ? "no userfaultfd on this machine"
            : Compile("toucher", _toucher) && Compile("uffd_handler", _handler) ? null
            : "no C compiler here (cc): nothing to compare with";
    }

    /// <summary>The image's file.</summary>
    public string Image { get; }

    /// <summary>Why there is nothing to run; null where there is.</summary>
    public string? Missing { get; }

    /// <summary>Arguments by which this program starts itself.</summary>
    public string[] Self(params string[] args) =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [Environment.GetCommandLineArgs()[0], .. args]
            : args;

    /// <summary>A round under the C handler.</summary>
    public TouchResult UnderC(int threads, int touches = 0, int pauseUs = 0)
    {
        var socket = NextSocket();
        using var handler = HandlerProcess.Start(_handler, [socket, Image], "ready");
        return Touch(handler, socket, threads, touches, pauseUs);
    }

    /// <summary>A round under <c>userfault serve</c>.</summary>
    public TouchResult UnderServe(
        int threads,
        string[] options,
        string[]? source = null,
        int touches = 0,
        int pauseUs = 0,
        string memory = "private"
    )
    {
        var socket = NextSocket();
        using var handler = HandlerProcess.Start(
            "dotnet",
            [.. Userfault("serve"), "--socket", socket, "--once", .. options, .. source ?? ["--image", Image]],
            " pages of image "
        );
        return Touch(handler, socket, threads, touches, pauseUs, memory);
    }

    /// <summary>A round with migrations on actors, and their collections, going on beside it.</summary>
    public TouchResult BesideActors(Func<TouchResult> round)
    {
        string[] migrate =
        [
            .. Userfault("migrate"),
            "--synthetic",
            "1G",
            "--pattern",
            "random",
            "--vcpus",
            "64",
            "--accesses",
            "100000000",
            "--overlapping",
            "--ips",
            "off",
            "--mode",
            "userfault",
        ];
        using var load = Process.Start(
            new ProcessStartInfo("dotnet", migrate) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        try
        {
            // Once it says how far it is, its actors are at work.
            for (
                var line = load.StandardOutput.ReadLine();
                line is not null && !line.Contains("running", StringComparison.Ordinal);

            )
            {
                line = load.StandardOutput.ReadLine();
            }

            _ = load.StandardOutput.ReadToEndAsync();
            return round();
        }
        finally
        {
            load.Kill();
            load.WaitForExit();
        }
    }

    private static string[] Userfault(string command) =>
        ["exec", Path.Combine(AppContext.BaseDirectory, "userfault.dll"), command];

    private string NextSocket() => Path.Combine(_folder, $"s{_rounds++}");

    private TouchResult Touch(
        HandlerProcess handler,
        string socket,
        int threads,
        int touches,
        int pauseUs,
        string memory = "private"
    )
    {
        var args = new[] { threads, touches, pauseUs }.Select(n => n.ToString(CultureInfo.InvariantCulture));
        using var toucher = Process.Start(
            new ProcessStartInfo(_toucher, [socket, _bytes, .. args, memory]) { RedirectStandardOutput = true }
        )!;
        var said = toucher.StandardOutput.ReadLineAsync();
        var isSaid = said.Wait(TimeSpan.FromMinutes(2));
        // The handler ends with the toucher, which has yet to give its memory back.
        var spent = handler.Spent;
        if (!isSaid || !toucher.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            toucher.Kill();
            throw new InvalidOperationException("the toucher waits for a page that does not come");
        }

        var result = TouchResult.Parse(said.Result ?? "");
        return spent is { } time ? result with { HandlerUs = time.TotalMicroseconds / result.Touches } : result;
    }

    private static void WriteImage(string path, int pages)
    {
        var page = new byte[Page.Size];
        var random = new Random(1);
        using var file = File.Create(path);
        for (var i = 0; i < pages; i++)
        {
            random.NextBytes(page);
            BitConverter.TryWriteBytes(page, (ulong)i + 1);
            file.Write(page);
        }
    }

    private static bool Compile(string name, string program)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "Uffd", "c", $"{name}.c");
        try
        {
            using var cc = Process.Start("cc", ["-O2", "-pthread", "-o", program, source]);
            cc.WaitForExit();
            return cc.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
