using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// Signals that end a process by default and must not: those that ask for the same as SIGTERM, and those that only say
/// that something cannot be written. SIGINT and SIGTERM themselves belong to the command line's parser. What the parent
/// process has set to be ignored (`nohup`) stays ignored; the runtime ignores SIGPIPE by itself.
/// </summary>
public sealed class TerminationSignals : IDisposable
{
    // SIGXFSZ, the same number on x86-64 and arm64: a file has reached the limit of `ulimit -f`. With the signal out of
    // the way the write answers EFBIG, and is an error of that file like a full disk.
    private const PosixSignal FileTooLong = (PosixSignal)25;

    private readonly CancellationTokenSource _ends = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Listens from now on.</summary>
    /// <param name="servesOthers">
    /// Do others depend on this process? Then SIGQUIT ends it in order as well; otherwise Ctrl-\ stays the key that ends a
    /// command that does not end by itself.
    /// </param>
    public TerminationSignals(bool servesOthers)
    {
        // The terminal was closed, or the session has ended.
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, End));
        if (servesOthers)
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, End));
        if (OperatingSystem.IsLinux())
            _registrations.Add(PosixSignalRegistration.Create(FileTooLong, static signal => signal.Cancel = true));
    }

    /// <summary>Cancelled when this process is to end.</summary>
    public CancellationToken Token => _ends.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _ends.Dispose();
    }

    private void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _ends.Cancel();
    }
}
