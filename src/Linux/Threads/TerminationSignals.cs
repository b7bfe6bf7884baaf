using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// Turns signals that end a process by default into a request to end. What the parent process has set to be ignored
/// (`nohup`) stays ignored; the runtime ignores SIGPIPE by itself.
/// </summary>
public sealed class TerminationSignals : IDisposable
{
    // SIGXFSZ, the same number on x86-64 and arm64.
    private const PosixSignal FileTooLong = (PosixSignal)25;

    private static PosixSignalRegistration? Untold;

    // Not disposed of: a signal may be in the middle of being handled when this object is, on another thread.
    private readonly CancellationTokenSource _ends = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Listens from now on.</summary>
    /// <param name="signals">Which signals.</param>
    public TerminationSignals(params ReadOnlySpan<PosixSignal> signals)
    {
        foreach (var signal in signals)
            _registrations.Add(PosixSignalRegistration.Create(signal, End));
    }

    /// <summary>Cancelled when this process is to end.</summary>
    public CancellationToken Token => _ends.Token;

    /// <summary>
    /// For the whole process: a file that has reached the limit of `ulimit -f` does not end it. The write answers
    /// EFBIG, and is an error of that file like a full disk.
    /// </summary>
    public static void LetWritesFail()
    {
        if (OperatingSystem.IsLinux())
            Untold ??= PosixSignalRegistration.Create(FileTooLong, static signal => signal.Cancel = true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _ends.Cancel();
    }
}
