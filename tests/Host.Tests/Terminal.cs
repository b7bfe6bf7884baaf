using System.Diagnostics;
using System.Text;
using Userfault.Linux;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>
/// The command on a terminal of its own (a pseudo-terminal), whose session it leads: to close the terminal ends the
/// session. What it writes is kept.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private const int PollMs = 20;
    private const int O_NOCTTY = 0x100;
    private const nuint TIOCSPTLCK = 0x40045431;
    private const nuint TIOCGPTN = 0x80045430;

    private readonly Process _process;
    private readonly OwnedFd _master;
    private readonly StringBuilder _shown = new();
    private readonly Lock _lock = new();
    private readonly Thread _reader;
    private volatile bool _isClosed;

    private Terminal(Process process, OwnedFd master)
    {
        (_process, _master) = (process, master);
        _reader = new Thread(Read) { IsBackground = true, Name = "terminal" };
        _reader.Start();
    }

    /// <summary>Starts the command; skips the test where there is no terminal to have.</summary>
    public static unsafe Terminal Start(string[] args, string term = "xterm")
    {
        Skip.IfNot(File.Exists("/usr/bin/setsid"), "setsid is not there to give the command a terminal");
        var fd = Libc.Open("/dev/ptmx", Libc.O_RDWR | O_NOCTTY | Libc.O_CLOEXEC, 0);
        Skip.If(fd < 0, "no pseudo-terminal can be had here");
        var master = new OwnedFd(fd);
        int zero = 0,
            number = -1;
        Assert.Equal(0, Libc.Ioctl(fd, TIOCSPTLCK, &zero));
        Assert.Equal(0, Libc.Ioctl(fd, TIOCGPTN, &number));
        var path = $"/dev/pts/{number}";
        var start = new ProcessStartInfo(
            "/bin/sh",
            [
                "-c",
                "exec setsid --ctty \"$@\" <\"$0\" >\"$0\" 2>\"$0\"",
                path,
                .. CommandLine.DefaultSignals,
                "dotnet",
                "exec",
                CommandLine.Assembly,
                .. args,
            ]
        );
        start.Environment["TERM"] = term;
        return new Terminal(Process.Start(start)!, master);
    }

    /// <summary>What it has written so far.</summary>
    public string All()
    {
        lock (_lock)
            return _shown.ToString();
    }

    /// <summary>Waits until a text has been written.</summary>
    public Task Shows(string text) =>
        Eventually.Holds(
            () => All().Contains(text, StringComparison.Ordinal) || (_process.HasExited ? throw Ended() : false),
            All
        );

    /// <summary>As when its window is closed.</summary>
    public void Close()
    {
        // A read that goes on would keep the terminal open.
        _isClosed = true;
        _reader.Join();
        _master.Dispose();
    }

    /// <summary>Waits until all that it wrote before its end has been read.</summary>
    public Task Drained() => Eventually.Holds(() => !_reader.IsAlive, All);

    /// <summary>Waits for its end; answers its exit code.</summary>
    public async Task<int> End()
    {
        await Eventually.Holds(() => _process.HasExited, All);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        Close();
    }

    private Xunit.Sdk.XunitException Ended() => new($"it ended by itself: {All()}");

    private unsafe void Read()
    {
        var bytes = new byte[4096];
        fixed (byte* buffer = bytes)
        {
            while (!_isClosed)
            {
                var poll = new PollFd(_master.Number, Libc.POLLIN);
                if (Libc.Poll(&poll, 1, PollMs) <= 0)
                    continue;
                var count = Libc.Read(_master.Number, buffer, (nuint)bytes.Length);
                if (count <= 0)
                    return;
                lock (_lock)
                    _shown.Append(Encoding.UTF8.GetString(bytes, 0, (int)count));
            }
        }
    }
}
