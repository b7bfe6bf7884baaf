using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>
/// Makes filters for log events. Of message, start and contains the first that is given counts; source is an event's
/// log source, or for an actor also its path without the system's address.
/// Events below the log level of the system never reach a filter.
/// </summary>
public partial class EventFilterFactory
{
    private readonly TestKitBase _testkit;
    private readonly ActorSystem _system;
    private readonly IReadOnlyList<EventFilterBase> _filters;

    /// <summary>Makes filters for the system of <paramref name="testkit"/>.</summary>
    public EventFilterFactory(TestKitBase testkit)
        : this(testkit, testkit.Sys)
    {
    }

    /// <summary>Makes filters for <paramref name="system"/>.</summary>
    public EventFilterFactory(TestKitBase testkit, ActorSystem system)
        : this(testkit, system, [])
    {
    }

    /// <summary>Adds to <paramref name="filters"/> for the system of <paramref name="testkit"/>.</summary>
    public EventFilterFactory(TestKitBase testkit, IReadOnlyList<EventFilterBase> filters)
        : this(testkit, testkit.Sys, filters)
    {
    }

    /// <summary>Adds to <paramref name="filters"/> for <paramref name="system"/>.</summary>
    public EventFilterFactory(TestKitBase testkit, ActorSystem system, IReadOnlyList<EventFilterBase> filters)
    {
        _testkit = testkit;
        _system = system;
        _filters = filters;
    }

    /// <summary>Errors caused by an exception of a type.</summary>
    public IEventFilterApplier Exception<TException>(Regex pattern, string? source = null)
        where TException : Exception => Exception(typeof(TException), pattern, source);

    /// <summary>Errors caused by an exception of a type, or by one that has such a one inside.</summary>
    public IEventFilterApplier Exception(
        Type exceptionType, Regex pattern, string? source = null, bool checkInnerExceptions = false) =>
        Errors(exceptionType, TextMatcher.ForMessage(pattern), source, checkInnerExceptions);

    /// <summary>Errors caused by an exception of a type.</summary>
    public IEventFilterApplier Exception<TException>(
        string? message = null, string? start = null, string? contains = null, string? source = null)
        where TException : Exception => Exception(typeof(TException), message, start, contains, source);

    /// <summary>Errors caused by an exception of a type, or by one that has such a one inside.</summary>
    public IEventFilterApplier Exception(
        Type exceptionType, string? message = null, string? start = null, string? contains = null,
        string? source = null, bool checkInnerExceptions = false) =>
        Errors(exceptionType, TextMatcher.ForMessage(message, start, contains), source, checkInnerExceptions);

    /// <summary>Events that a predicate accepts.</summary>
    public IEventFilterApplier Custom(Predicate<LogEvent> predicate) => Applier(new CustomEventFilter(predicate));

    /// <summary>Events of a kind that a predicate accepts.</summary>
    public IEventFilterApplier Custom<TLogEvent>(Predicate<TLogEvent> predicate)
        where TLogEvent : LogEvent => Custom(logEvent => logEvent is TLogEvent typed && predicate(typed));

    /// <summary>Dead letters.</summary>
    public IEventFilterApplier DeadLetter() => DeadLetters(null, null);

    /// <summary>Dead letters of a type; the source is whom they did not reach.</summary>
    public IEventFilterApplier DeadLetter<TMessage>(string? source = null) =>
        DeadLetters(dead => dead.Message is TMessage, source);

    /// <summary>Dead letters of a type that <paramref name="isMatch"/> accepts.</summary>
    public IEventFilterApplier DeadLetter<TMessage>(Func<TMessage, bool> isMatch, string? source = null) =>
        DeadLetters(dead => dead.Message is TMessage message && isMatch(message), source);

    /// <summary>Dead letters of a type.</summary>
    public IEventFilterApplier DeadLetter(Type type, string? source = null) =>
        DeadLetters(dead => type.IsInstanceOfType(dead.Message), source);

    /// <summary>Dead letters of a type that <paramref name="isMatch"/> accepts.</summary>
    public IEventFilterApplier DeadLetter(Type type, Func<object, bool> isMatch, string? source = null) =>
        DeadLetters(dead => type.IsInstanceOfType(dead.Message) && isMatch(dead.Message), source);

    private InternalEventFilterApplier DeadLetters(Predicate<DeadLetter>? isMatch, string? source) =>
        Applier(new DeadLettersFilter(isMatch, TextMatcher.ForSource(source)));

    private InternalEventFilterApplier Errors(Type? exceptionType, TextMatcher? message, string? source, bool checkInner) =>
        Applier(new ErrorFilter(exceptionType, message, TextMatcher.ForSource(source), checkInner));

    private InternalEventFilterApplier Applier(EventFilterBase filter) =>
        new(_testkit, _system, [.. _filters, filter]);
}
