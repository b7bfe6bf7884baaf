namespace Userfault.Hostile.Tests;

/// <summary>An exception that a peer names.</summary>
public sealed class TrapException : Exception
{
    static TrapException() => TrapLog.Touch("the class TrapException was initialized");

    public TrapException() => TrapLog.Touch("a TrapException was made");

    public TrapException(string message)
        : base(message) => TrapLog.Touch("a TrapException was made");

    public TrapException(string message, Exception inner)
        : base(message, inner) => TrapLog.Touch("a TrapException was made");
}
