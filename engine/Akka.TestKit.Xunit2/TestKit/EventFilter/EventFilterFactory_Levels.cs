using System.Text.RegularExpressions;
using Akka.Event;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>Filters by log level.</content>
public partial class EventFilterFactory
{
    /// <summary>Errors, whatever caused them.</summary>
    public IEventFilterApplier Error(Regex pattern, string? source = null) =>
        Errors(null, TextMatcher.ForMessage(pattern), source, false);

    /// <summary>Errors, whatever caused them.</summary>
    public IEventFilterApplier Error(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Errors(null, TextMatcher.ForMessage(message, start, contains), source, false);

    /// <summary>Warnings.</summary>
    public IEventFilterApplier Warning(Regex pattern, string? source = null) =>
        Level<Warning>(TextMatcher.ForMessage(pattern), source);

    /// <summary>Warnings.</summary>
    public IEventFilterApplier Warning(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Level<Warning>(TextMatcher.ForMessage(message, start, contains), source);

    /// <summary>Information.</summary>
    public IEventFilterApplier Info(Regex pattern, string? source = null) =>
        Level<Info>(TextMatcher.ForMessage(pattern), source);

    /// <summary>Information.</summary>
    public IEventFilterApplier Info(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Level<Info>(TextMatcher.ForMessage(message, start, contains), source);

    /// <summary>Debug output.</summary>
    public IEventFilterApplier Debug(Regex pattern, string? source = null) =>
        Level<Debug>(TextMatcher.ForMessage(pattern), source);

    /// <summary>Debug output.</summary>
    public IEventFilterApplier Debug(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Level<Debug>(TextMatcher.ForMessage(message, start, contains), source);

    /// <summary>Events of one level.</summary>
    public IEventFilterApplier ForLogLevel(LogLevel logLevel, Regex pattern, string? source = null) => logLevel switch
    {
        LogLevel.DebugLevel => Debug(pattern, source),
        LogLevel.InfoLevel => Info(pattern, source),
        LogLevel.WarningLevel => Warning(pattern, source),
        LogLevel.ErrorLevel => Error(pattern, source),
        _ => throw new ArgumentOutOfRangeException(nameof(logLevel), logLevel, "There is no such log level."),
    };

    /// <summary>Events of one level.</summary>
    public IEventFilterApplier ForLogLevel(
        LogLevel logLevel, string? message = null, string? start = null, string? contains = null,
        string? source = null) => logLevel switch
        {
            LogLevel.DebugLevel => Debug(message, start, contains, source),
            LogLevel.InfoLevel => Info(message, start, contains, source),
            LogLevel.WarningLevel => Warning(message, start, contains, source),
            LogLevel.ErrorLevel => Error(message, start, contains, source),
            _ => throw new ArgumentOutOfRangeException(nameof(logLevel), logLevel, "There is no such log level."),
        };

    private InternalEventFilterApplier Level<TEvent>(TextMatcher? message, string? source)
        where TEvent : LogEvent => Applier(new LevelFilter<TEvent>(message, TextMatcher.ForSource(source)));
}
