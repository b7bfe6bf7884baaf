using System.Diagnostics;

namespace Userfault.Host.Tests;

/// <summary>A process that a test owns: it is ended with the test, also where the test fails.</summary>
internal sealed class OwnedProcess : Process
{
    private bool _isStarted;

    /// <summary>Starts it.</summary>
    public static OwnedProcess Of(ProcessStartInfo start)
    {
        var process = new OwnedProcess { StartInfo = start };
        process._isStarted = process.Start();
        return process;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _isStarted && !HasExited)
        {
            Kill(entireProcessTree: true);
            WaitForExit();
        }

        _isStarted = false;
        base.Dispose(disposing);
    }
}
