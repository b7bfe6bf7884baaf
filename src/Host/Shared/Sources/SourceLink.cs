using System.Net;
using Userfault.DataPlane;

namespace Userfault.Cli;

/// <summary>One source that a handler keeps a connection to. Guarded by its owner's lock.</summary>
/// <param name="endpoint">Its address.</param>
/// <param name="isNamed">Has the user named it, or is it only known from others?</param>
/// <param name="retry">Connects again, when the time has come.</param>
internal sealed class SourceLink(EndPoint endpoint, bool isNamed, ITimer retry) : IDisposable
{
    private static readonly TimeSpan MaxRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MinRetry = TimeSpan.FromMilliseconds(250);

    private TimeSpan _retryAfter = MinRetry;

    public EndPoint Endpoint => endpoint;

    public bool IsNamed => isNamed;

    /// <summary>The connection, from its first attempt to its end; null while it waits to be tried again.</summary>
    public PageClient? Client { get; set; }

    /// <summary>Connections that were tried.</summary>
    public int Attempts { get; set; }

    /// <summary>Can it be asked?</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Has it been said that it is lost?</summary>
    public bool IsLost { get; set; }

    /// <summary>Could it be asked at any time?</summary>
    public bool WasOpen { get; private set; }

    public void Opened() => (IsOpen, WasOpen, _retryAfter) = (true, true, MinRetry);

    /// <summary>The connection is over: tries again soon, and less often the longer that fails.</summary>
    public void Closed()
    {
        (IsOpen, Client) = (false, null);
        retry.Change(_retryAfter, Timeout.InfiniteTimeSpan);
        _retryAfter = _retryAfter * 2 < MaxRetry ? _retryAfter * 2 : MaxRetry;
    }

    public void Dispose() => retry.Dispose();
}
