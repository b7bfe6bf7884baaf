using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>
/// Means error events, optionally those that an exception caused. The text may be the event's or the exception's: an
/// actor's failure is logged with either.
/// </summary>
internal sealed class ErrorFilter : EventFilterBase
{
    private readonly Type? _exceptionType;
    private readonly bool _checkInnerExceptions;

    public ErrorFilter(Type? exceptionType, TextMatcher? message, TextMatcher? source, bool checkInnerExceptions)
        : base(message, source)
    {
        if (exceptionType != null && !typeof(Exception).IsAssignableFrom(exceptionType))
            throw new ArgumentException($"{exceptionType} is no exception.", nameof(exceptionType));
        _exceptionType = exceptionType;
        _checkInnerExceptions = checkInnerExceptions;
    }

    protected override string FilterDescriptiveName =>
        _exceptionType == null ? "Error" : $"Error caused by {Describe.Type(_exceptionType)}";

    protected override bool IsMatch(LogEvent evt)
    {
        if (evt is not Error)
            return false;
        if (evt.Cause == null)
            return _exceptionType == null && InternalDoMatch(evt.LogSource, evt.Message);
        for (var cause = evt.Cause; cause != null; cause = _checkInnerExceptions ? cause.InnerException : null)
        {
            if (IsMatch(evt, cause))
                return true;
        }
        return false;
    }

    private bool IsMatch(LogEvent evt, Exception cause) =>
        _exceptionType?.IsInstanceOfType(cause) != false
        && ((evt.Message == null && string.IsNullOrEmpty(cause.Message))
            || InternalDoMatch(evt.LogSource, evt.Message)
            || InternalDoMatch(evt.LogSource, cause.Message));
}
