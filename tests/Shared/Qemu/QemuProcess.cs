using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Userfault.Qemu;

namespace Userfault.Tests;

/// <summary>
/// A QEMU that runs <see cref="GuestRom"/> by emulation (TCG), with a monitor for the test and another one for the
/// command under test. It is killed by its id at the end. All of its files lie in one folder.
/// </summary>
internal sealed class QemuProcess : IAsyncDisposable
{
    // The shell becomes QEMU: the process is QEMU's own.
    private const string Script = """log=$1; shift; exec "$@" 2>"$log" """;

    private readonly Process _process;
    private readonly string _console;
    private QmpClient? _monitor;
    private bool _isDisposed;

    private QemuProcess(Process process, string console, string log, string qmp) =>
        (_process, _console, LogPath, QmpPath) = (process, console, log, qmp);

    /// <summary>The socket of a monitor that nobody has connected to.</summary>
    public string QmpPath { get; }

    /// <summary>The file that takes its standard error.</summary>
    public string LogPath { get; }

    /// <summary>The test's own connection to the other monitor.</summary>
    public QmpClient Monitor => _monitor!;

    /// <summary>Its id.</summary>
    public int Id => _process.Id;

    /// <summary>Has it ended?</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>What it wrote to its standard error so far.</summary>
    public string Error => Read(LogPath);

    /// <summary>What the guest has written to its debug console.</summary>
    public string Console => Read(_console);

    /// <summary>How often the guest has checked 64 pages and found them good.</summary>
    public int Good => Console.Count(static c => c == GuestRom.Good);

    /// <summary>How many bad pages the guest has found.</summary>
    public int Bad => Console.Count(static c => c == GuestRom.Bad);

    /// <summary>Starts one.</summary>
    /// <param name="folder">Where its sockets and its console go.</param>
    /// <param name="name">The beginning of their names.</param>
    /// <param name="options">How it is started.</param>
    /// <exception cref="QmpException">It ends before its monitor answers.</exception>
    public static async Task<QemuProcess> StartAsync(TemporaryFolder folder, string name, QemuOptions options)
    {
        var (console, log) = (folder.At(name + ".console"), folder.At(name + ".log"));
        var (qmp, own) = (folder.At(name + ".qmp"), folder.At(name + ".own"));
        string[] arguments =
        [
            .. (ReadOnlySpan<string>)["-c", Script, "sh", log, QemuOptions.Command],
            .. (ReadOnlySpan<string>)["-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg"],
            .. (ReadOnlySpan<string>)["-machine", options.Machine, "-m", $"{options.RamMib}", "-bios", options.Rom],
            .. (ReadOnlySpan<string>)["-debugcon", $"file:{console}"],
            .. (ReadOnlySpan<string>)["-qmp", $"unix:{qmp},server=on,wait=off"],
            .. (ReadOnlySpan<string>)["-qmp", $"unix:{own},server=on,wait=off"],
            .. options.IsIncoming ? (ReadOnlySpan<string>)["-incoming", "defer"] : [],
            .. options.More,
        ];
        var process = new QemuProcess(Process.Start("sh", arguments), console, log, qmp);
        try
        {
            process._monitor = await process.ConnectAsync(own);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has the monitor execute a command.</summary>
    public Task<JsonNode?> ExecuteAsync(string command, JsonObject? arguments = null) =>
        Monitor.ExecuteAsync(command, arguments, CancellationToken.None);

    /// <summary>Switches capabilities of migration on, or off.</summary>
    public Task SetCapabilitiesAsync(bool state, params string[] names)
    {
        var capabilities = new JsonArray();
        foreach (var name in names)
            capabilities.Add(new JsonObject { ["capability"] = name, ["state"] = state });
        return ExecuteAsync("migrate-set-capabilities", new JsonObject { ["capabilities"] = capabilities });
    }

    /// <summary>Waits for a post-copy migration from now on.</summary>
    /// <param name="uri">Where: <c>unix:PATH</c>.</param>
    /// <param name="more">More capabilities than postcopy-ram.</param>
    public async Task ListenAsync(string uri, params string[] more)
    {
        await SetCapabilitiesAsync(true, ["postcopy-ram", .. more]);
        await ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = uri });
    }

    /// <summary>The state of the migration; empty where there is none.</summary>
    public async Task<string> MigrationAsync() => $"{(await ExecuteAsync("query-migrate"))?["status"]}";

    /// <summary>Saves the guest to a file, and waits for the end.</summary>
    /// <param name="uri">Where to: <c>exec:cat>FILE</c>, <c>file:FILE</c>.</param>
    public async Task SaveAsync(string uri)
    {
        // QEMU holds itself back to 128 MiB per second otherwise.
        await ExecuteAsync("migrate-set-parameters", new JsonObject { ["max-bandwidth"] = 1L << 40 });
        await ExecuteAsync("migrate", new JsonObject { ["uri"] = uri });
        while (await MigrationAsync() is var status and not "completed")
        {
            if (status is "failed" or "cancelled")
                throw new InvalidOperationException($"the guest could not be saved: {Error}");
            await Task.Delay(5);
        }
    }

    /// <summary>Waits for its end; answers its exit code.</summary>
    public async Task<int> EndAsync()
    {
        using var late = new CancellationTokenSource(Patience.Longest);
        await _process.WaitForExitAsync(late.Token);
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        if (_monitor is not null)
            await _monitor.DisposeAsync();
        _process.Dispose();
    }

    private async Task<QmpClient> ConnectAsync(string path)
    {
        using var late = new CancellationTokenSource(Patience.Longest);
        while (true)
        {
            try
            {
                return await QmpClient.ConnectAsync(path, late.Token);
            }
            catch (QmpException) when (!_process.HasExited)
            {
                await Task.Delay(5, late.Token);
            }
            catch (QmpException e)
            {
                await _process.WaitForExitAsync(late.Token);
                throw new QmpException($"QEMU has ended with {_process.ExitCode}: {Error}", e);
            }
        }
    }

    private static string Read(string path)
    {
        if (!File.Exists(path))
            return "";
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file, Encoding.Latin1);
        return reader.ReadToEnd();
    }
}
