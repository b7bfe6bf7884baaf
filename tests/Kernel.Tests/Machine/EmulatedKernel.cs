using System.Diagnostics;
using System.Text.Json;
using Userfault.Kernel.Tests.Cases;
using Userfault.Tests;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>
/// A kernel booted under QEMU's emulation, which runs one test after the other. Its only connection is a port that
/// carries one line per request and answer: QEMU's standard input and output on this side. It is booted by the first
/// test that needs it, and when this process dies it ends by itself, since its port is then closed.
/// </summary>
internal sealed class EmulatedKernel : IAsyncDisposable
{
    private const string Qemu = "qemu-system-x86_64";

    // Emulation is some ten times slower than a processor, and other tests may run beside it.
    private static readonly TimeSpan BootPatience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan TestPatience = TimeSpan.FromMinutes(15);
    private static Task<EmulatedKernel>? _booted;

    private readonly Process _process;
    private readonly TemporaryFolder _folder;
    private readonly string _name;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly List<string> _summary = [];
    private readonly Task<string> _error;
    private string _broken = "";

    private EmulatedKernel(Process process, TemporaryFolder folder, string name)
    {
        (_process, _folder, _name) = (process, folder, name);
        _error = process.StandardError.ReadToEndAsync();
    }

    private static string Console(TemporaryFolder folder) => folder.At("console");

    /// <summary>The kernel that all tests of this run share. Tests run one after the other.</summary>
    /// <exception cref="KernelMissingException">Something that it needs is not here.</exception>
    /// <exception cref="KernelException">It does not boot.</exception>
    public static Task<EmulatedKernel> GetAsync() => _booted ??= BootAsync();

    /// <summary>Ends it, where it was booted.</summary>
    public static async Task EndAsync()
    {
        if (_booted is { IsCompletedSuccessfully: true } booted)
            await (await booted).DisposeAsync();
    }

    /// <summary>Runs a test in it.</summary>
    /// <param name="serialized">The test case, serialized by xunit.</param>
    /// <param name="name">The name of the test.</param>
    public async Task<CaseAnswer> RunAsync(string serialized, string name)
    {
        if (_broken.Length != 0)
            throw new KernelException(_broken);
        var request = new CaseRequest(serialized, Settings());
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(request));
        await _process.StandardInput.FlushAsync();
        var answer = await Next<CaseAnswer>(TestPatience, name);
        _summary.Add($"{answer.Seconds, 8:0.0} s  {answer.Outcome, -8} {name}");
        foreach (var line in answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            _summary.Add($"              {line}");
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        // The end of its input ends the guest's program, and then the guest.
        _process.StandardInput.Close();
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await _process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _error;
        _process.Dispose();
        _folder.Dispose();
        if (KernelChoice.Summary is { } path)
        {
            _summary.Add($"{Stopwatch.GetElapsedTime(_start).TotalSeconds, 8:0.0} s  in all");
            await File.WriteAllLinesAsync(path, _summary);
        }
    }

    private static async Task<EmulatedKernel> BootAsync()
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            throw new KernelMissingException("the emulated kernel runs the .NET of this machine: Linux's only");
        if (!Tool.IsHere(Qemu))
        {
            throw new KernelMissingException(
                $"neither /dev/kvm nor {Qemu} is here (Debian: apt-get install qemu-system-x86)"
            );
        }

        var (debian, shellPackage) = await new DebianDownload().GetAsync();
        var kernel = KernelChoice.File is { } own
            ? await KernelFiles.OfFileAsync(own, KernelChoice.Modules)
            : await KernelFiles.OfPackageAsync(debian);
        var shell = await shellPackage.ReadAsync(static name => name is "bin/busybox" or "usr/bin/busybox");
        var folder = new TemporaryFolder();
        try
        {
            var image = folder.At("vmlinuz");
            var root = folder.At("initramfs");
            await File.WriteAllBytesAsync(image, kernel.Image);
            await Initramfs.WriteAsync(root, kernel, shell.Values.Single());
            var booted = new EmulatedKernel(Start(folder, image, root), folder, kernel.Name);
            try
            {
                await booted.Greet();
                return booted;
            }
            catch
            {
                await booted.DisposeAsync();
                throw;
            }
        }
        catch
        {
            if (Directory.Exists(folder.Path))
                folder.Dispose();
            throw;
        }
    }

    private static Process Start(TemporaryFolder folder, string image, string root) =>
        Process.Start(
            new ProcessStartInfo(
                Qemu,
                [
                    .. (string[])["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
                    // Nested paging works with four levels of page tables only. One processor: the kernel rewrites its
                    // own code when the first vCPU of a VM comes and the last one goes (static keys), and emulated
                    // processors beside it have been seen to run half of the old code and half of the new.
                    .. (string[])["-accel", "tcg", "-cpu", "max,-la57", "-m", "2G", "-smp", "1"],
                    .. (string[])["-kernel", image, "-initrd", root],
                    .. (string[])["-append", "console=ttyS0 quiet panic=-1"],
                    .. (string[])["-serial", $"file:{Console(folder)}"],
                    .. (string[])["-chardev", "stdio,id=tests,signal=off", "-device", "virtio-serial-pci"],
                    .. (string[])["-device", "virtserialport,chardev=tests,name=tests"],
                ]
            )
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;

    /// <summary>Settings of the tests themselves, which are read where the tests run.</summary>
    private static Dictionary<string, string> Settings()
    {
        Dictionary<string, string> settings = [];
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (
                name.StartsWith("USERFAULT_", StringComparison.Ordinal)
                && !name.StartsWith(KernelChoice.Variable, StringComparison.Ordinal)
            )
            {
                settings[name] = (string?)variable.Value ?? "";
            }
        }

        return settings;
    }

    private async Task Greet()
    {
        var greeting = await Next<KernelGreeting>(BootPatience, "its start");
        _summary.Add($"{_name}: Linux {greeting.Version} under {Qemu}");
        _summary.Add($"{greeting.UptimeSeconds, 8:0.0} s  from the kernel's start to the first test");
    }

    private async Task<T> Next<T>(TimeSpan patience, string what)
    {
        using var late = new CancellationTokenSource(Patience.Of(patience));
        try
        {
            if (await _process.StandardOutput.ReadLineAsync(late.Token) is { } line)
                return JsonSerializer.Deserialize<T>(line)!;
            _broken = $"the emulated kernel ended during {what}: {await _error}";
        }
        catch (OperationCanceledException)
        {
            _broken = $"the emulated kernel did not answer in {patience.TotalMinutes} minutes during {what}";
        }

        _broken += $"\nIts console:\n{LastLines(Console(_folder))}";
        throw new KernelException(_broken);
    }

    private static string LastLines(string path) =>
        File.Exists(path) ? string.Join('\n', File.ReadLines(path).TakeLast(30)) : "";
}
