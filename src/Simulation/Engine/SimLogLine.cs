using Akka.Event;

namespace Userfault.Simulation;

/// <summary>A line that an actor logged.</summary>
/// <param name="NowNs">When, in virtual time.</param>
/// <param name="Level">How bad.</param>
/// <param name="Source">Who.</param>
/// <param name="Text">What.</param>
public sealed record SimLogLine(long NowNs, LogLevel Level, string Source, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => $"{NowNs / 1e6, 12:0.000000} ms {Level} {Source}: {Text}";
}
