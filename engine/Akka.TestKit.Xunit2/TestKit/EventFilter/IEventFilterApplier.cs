namespace Akka.TestKit;

/// <summary>
/// What can be done with the log events a filter means. An expectation counts from the start of its block to its end,
/// and then waits for events that are missing; the wait is <c>akka.test.filter-leeway</c> or the given one, dilated.
/// While it lasts the events are not printed. To expect none takes the whole wait.
/// </summary>
public interface IEventFilterApplier
{
    /// <summary>More filters: an event is meant if any of them means it.</summary>
    EventFilterFactory And { get; }

    /// <summary>Runs the block, in which exactly one event must be logged.</summary>
    void ExpectOne(Action action);

    /// <summary>Runs the block, in which exactly one event must be logged.</summary>
    void ExpectOne(TimeSpan timeout, Action action);

    /// <summary>Runs the block, in which exactly one event must be logged.</summary>
    T ExpectOne<T>(Func<T> func);

    /// <summary>Runs the block, in which exactly one event must be logged.</summary>
    T ExpectOne<T>(TimeSpan timeout, Func<T> func);

    /// <summary>Runs the block, in which <paramref name="expectedCount"/> events must be logged.</summary>
    void Expect(int expectedCount, Action action);

    /// <summary>Runs the block, in which <paramref name="expectedCount"/> events must be logged.</summary>
    void Expect(int expectedCount, TimeSpan timeout, Action action);

    /// <summary>Runs the block, in which <paramref name="expectedCount"/> events must be logged.</summary>
    T Expect<T>(int expectedCount, Func<T> func);

    /// <summary>Runs the block, in which <paramref name="expectedCount"/> events must be logged.</summary>
    T Expect<T>(int expectedCount, TimeSpan timeout, Func<T> func);

    /// <summary>Runs the block, in which events are not printed.</summary>
    T Mute<T>(Func<T> func);

    /// <summary>Runs the block, in which events are not printed.</summary>
    void Mute(Action action);

    /// <summary>From now on events are not printed, until what this returns is ended.</summary>
    IUnmutableFilter Mute();
}
