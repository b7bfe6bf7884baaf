namespace Userfault.Handler.Tests;

/// <summary>A clock that stands until it is moved.</summary>
internal sealed class HandClock : TimeProvider
{
    public long NowNs { get; private set; } = 1_000_000_000;

    public override long TimestampFrequency => 1_000_000_000;

    public void MoveMs(long ms) => NowNs += ms * 1_000_000;

    public override long GetTimestamp() => NowNs;
}
