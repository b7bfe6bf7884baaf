using Akka.Event;

namespace Userfault.Simulation;

/// <summary>A line that an actor logged.</summary>
/// <param name="NowNs">The virtual time.</param>
/// <param name="Level">The log level.</param>
/// <param name="Source">The logging actor.</param>
/// <param name="Text">The text.</param>
public sealed record SimLogLine(long NowNs, LogLevel Level, string Source, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => $"{NowNs / 1e6, 12:0.000000} ms {Level} {Source}: {Text}";
}
