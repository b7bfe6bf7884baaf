using System.Diagnostics;
using System.Text.Json;
using Userfault.Handler;

namespace Userfault.Host.Tests;

/// <summary>
/// A running <c>userfault</c> process whose lines are read as they come; killed by its id if a test leaves it.
/// </summary>
internal sealed class ServeProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly SemaphoreSlim _news = new(0);
    private int _looked;

    public ServeProcess(params string[] args)
        : this(CommandLine.Start(args)) { }

    /// <summary>
    /// A process that was started by other means, with its three streams redirected; owned from here on.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="isOutputRead">Is its standard output read? Otherwise the pipe fills up.</param>
    public ServeProcess(Process process, bool isOutputRead = true)
    {
        _process = process;
        _process.OutputDataReceived += Take;
        _process.ErrorDataReceived += Take;
        if (isOutputRead)
            _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>
    /// The command behind a shell's script, in which it is <c>"$@"</c>. Where the script ends in <c>exec "$@"</c>, the
    /// process is the command's own.
    /// </summary>
    /// <param name="script">The script.</param>
    /// <param name="args">The command's arguments.</param>
    /// <param name="within">The words before the shell, of a program that starts it.</param>
    /// <param name="name">The script's <c>$0</c>.</param>
    /// <param name="isOutputRead">Is its standard output read? Otherwise the pipe fills up.</param>
    public static ServeProcess ByShell(
        string script,
        IReadOnlyList<string> args,
        IReadOnlyList<string>? within = null,
        string name = "sh",
        bool isOutputRead = true
    )
    {
        string[] words =
        [
            .. within ?? [],
            "sh",
            "-c",
            script,
            name,
            .. CommandLine.DefaultSignals,
            "dotnet",
            "exec",
            CommandLine.Assembly,
            .. args,
        ];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new ServeProcess(Process.Start(start)!, isOutputRead);
    }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Waits for a line of an event of <c>serve</c>, as <see cref="Line(string)"/> does.</summary>
    public Task<string> Line(HandlerEvent what) => Line($": {what}: ");

    /// <summary>Waits for a line that holds a text, after those that were waited for before; answers it.</summary>
    public async Task<string> Line(string part)
    {
        using var late = new CancellationTokenSource(Patience);
        while (true)
        {
            lock (_lines)
            {
                for (; _looked < _lines.Count; _looked++)
                {
                    if (_lines[_looked].Contains(part, StringComparison.Ordinal))
                        return _lines[_looked++];
                }
            }
            try
            {
                await _news.WaitAsync(late.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"no line with '{part}'; so far: {All()}");
            }
        }
    }

    /// <summary>Everything it said.</summary>
    public string All()
    {
        lock (_lines)
            return string.Join('\n', _lines);
    }

    /// <summary>Waits for its end; answers its exit code.</summary>
    public async Task<int> End()
    {
        using var late = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"it did not end; so far: {All()}");
        }
        return _process.ExitCode;
    }

    /// <summary>SIGKILL, as a crash is.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Stops its threads where they are (SIGSTOP).</summary>
    public void Stop() => Signal("STOP");

    /// <summary>Lets them go on (SIGCONT).</summary>
    public void Continue() => Signal("CONT");

    /// <summary>A line on its standard input.</summary>
    public void Enter()
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
    }

    /// <summary>SIGINT, as Ctrl-C is.</summary>
    public void Interrupt() => Signal("INT");

    /// <summary>A report that it wrote.</summary>
    public static JsonElement Report(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    /// <summary>Sends a signal by its name.</summary>
    public void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private void Take(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is null)
            return;
        lock (_lines)
            _lines.Add(e.Data);
        _news.Release();
    }
}
