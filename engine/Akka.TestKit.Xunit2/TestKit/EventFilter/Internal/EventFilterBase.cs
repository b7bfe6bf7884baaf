using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>Means the log events of a kind whose text and source match; tells of each one.</summary>
public abstract class EventFilterBase : IEventFilter
{
    private readonly TextMatcher? _message;
    private readonly TextMatcher? _source;

    private protected EventFilterBase(TextMatcher? message, TextMatcher? source)
    {
        _message = message;
        _source = source;
    }

    /// <summary>Is raised, on the listener's thread, for every event the filter means.</summary>
#pragma warning disable CA1003, CA1711 // the official kit's delegate and name
    public event EventMatched? EventMatched;
#pragma warning restore CA1003, CA1711

    /// <summary>What kind of event this is about, for reports.</summary>
    protected abstract string FilterDescriptiveName { get; }

    /// <inheritdoc/>
    public bool Apply(LogEvent logEvent)
    {
        if (!IsMatch(logEvent))
            return false;
        OnEventMatched(logEvent);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var conditions = new[] { _message?.Description, _source?.Description }.OfType<string>().ToList();
        return conditions.Count == 0
            ? FilterDescriptiveName
            : $"{FilterDescriptiveName} with {string.Join(" and ", conditions)}";
    }

    /// <summary>Whether the filter means <paramref name="evt"/>.</summary>
    protected abstract bool IsMatch(LogEvent evt);

    /// <summary>Raises <see cref="EventMatched"/>.</summary>
    protected virtual void OnEventMatched(LogEvent logEvent) => EventMatched?.Invoke(this, logEvent);

    /// <summary>Whether a source and a message's text match.</summary>
    protected bool InternalDoMatch(string src, object? msg) =>
        _source?.IsMatch(src) != false && _message?.IsMatch(msg?.ToString() ?? "null") != false;
}
