using Akka.Actor;

namespace Akka.TestKit.Internal;

/// <summary>Runs blocks of a test under a set of filters.</summary>
internal sealed class InternalEventFilterApplier : IEventFilterApplier
{
    private readonly TestKitBase _testKit;
    private readonly ActorSystem _system;
    private readonly IReadOnlyList<EventFilterBase> _filters;

    public InternalEventFilterApplier(TestKitBase testKit, ActorSystem system, IReadOnlyList<EventFilterBase> filters)
    {
        _testKit = testKit;
        _system = system;
        _filters = filters;
    }

    public EventFilterFactory And => new(_testKit, _system, _filters);

    private TimeSpan Leeway => TestKitExtension.For(_system).TestEventFilterLeeway;

    public void ExpectOne(Action action) => Expect(1, action);

    public void ExpectOne(TimeSpan timeout, Action action) => Expect(1, timeout, action);

    public T ExpectOne<T>(Func<T> func) => Expect(1, func);

    public T ExpectOne<T>(TimeSpan timeout, Func<T> func) => Expect(1, timeout, func);

    public void Expect(int expectedCount, Action action) => Intercept(expectedCount, Leeway, Returning(action));

    public void Expect(int expectedCount, TimeSpan timeout, Action action) =>
        Intercept(expectedCount, _testKit.Dilated(timeout), Returning(action));

    public T Expect<T>(int expectedCount, Func<T> func) => Intercept(expectedCount, Leeway, func);

    public T Expect<T>(int expectedCount, TimeSpan timeout, Func<T> func) =>
        Intercept(expectedCount, _testKit.Dilated(timeout), func);

    public void Mute(Action action) => Mute(Returning(action));

    public T Mute<T>(Func<T> func)
    {
        using var muted = Mute();
        return func();
    }

    public IUnmutableFilter Mute() => new MutedFilter(_system, _filters);

    private static Func<bool> Returning(Action action) => () =>
    {
        action();
        return true;
    };

    private T Intercept<T>(int expectedCount, TimeSpan timeout, Func<T> func)
    {
        using var counter = new MatchCounter(_filters);
        using var muted = Mute();
        var result = func();
        // One more than none is waited for where none may come.
        counter.WaitFor(Math.Max(expectedCount, 1), timeout);
        var (count, last) = counter.Seen;
        if (count != expectedCount)
        {
            var filters = string.Join(" or ", _filters);
            var seen = last == null ? "" : $" Last seen: {last}";
            var assertions = TestKitAssertionsExtension.For(_testKit.Sys).Assertions;
            assertions.Fail("{0}", count < expectedCount
                ? $"Expected {Events(expectedCount)} [{filters}], but only {count} came until {Describe.Time(timeout)} after the block.{seen}"
                : $"Expected {Events(expectedCount)} [{filters}], but {count} came.{seen}");
        }
        return result;
    }

    private static string Events(int count) => count == 1 ? "1 log event" : $"{count} log events";
}
