using System.Diagnostics;
using System.Runtime.InteropServices;
using Userfault.Tests;

namespace Userfault.Linux.Tests;

/// <summary>Signals that would end this process ask it to end instead.</summary>
public class TerminationSignalsTests
{
    [SkippableTheory]
    [InlineData("HUP", 1, true)]
    [InlineData("QUIT", 3, true)]
    [InlineData("TERM", 15, true)]
    [InlineData("XFSZ", 25, false)]
    public void A_signal_is_a_request(string name, int number, bool asksToEnd)
    {
        var ignored = File.ReadLines("/proc/self/status").First(l => l.StartsWith("SigIgn:", StringComparison.Ordinal));
        Skip.If(
            (Convert.ToUInt64(ignored[7..].Trim(), 16) & (1UL << (number - 1))) != 0,
            $"SIG{name} is ignored here, and stays so"
        );
        TerminationSignals.LetWritesFail();
        using var signals = new TerminationSignals(PosixSignal.SIGHUP, PosixSignal.SIGQUIT, PosixSignal.SIGTERM);
        using (var kill = Process.Start("kill", [$"-{name}", $"{Environment.ProcessId}"]))
            kill.WaitForExit();
        if (asksToEnd)
            Eventually.HoldsHere(() => signals.Token.IsCancellationRequested);
        else
            Assert.False(signals.Token.IsCancellationRequested);
    }
}
