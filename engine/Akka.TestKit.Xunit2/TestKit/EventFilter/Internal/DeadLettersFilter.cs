using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>Means dead letters, which the listener turns into warnings; the source is the recipient's path.</summary>
internal sealed class DeadLettersFilter : EventFilterBase
{
    private readonly Predicate<DeadLetter>? _isMatch;

    public DeadLettersFilter(Predicate<DeadLetter>? isMatch, TextMatcher? source)
        : base(null, source) => _isMatch = isMatch;

    protected override string FilterDescriptiveName => "DeadLetter";

    protected override bool IsMatch(LogEvent evt) =>
        evt is Warning { Message: DeadLetter deadLetter }
        && _isMatch?.Invoke(deadLetter) != false
        && InternalDoMatch(evt.LogSource, deadLetter.Message);
}
