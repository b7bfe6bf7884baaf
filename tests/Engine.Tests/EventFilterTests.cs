using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class EventFilterTests : TestKit
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public EventFilterTests()
        : base(Patience.Config + "akka.loglevel = DEBUG")
    {
    }

    public static TheoryData<string, Func<EventFilterFactory, IEventFilterApplier>, bool> Cases => new()
    {
        { "any", f => f.Warning(), true },
        { "level", f => f.ForLogLevel(LogLevel.WarningLevel, "half past ten"), true },
        { "other level", f => f.Info(), false },
        { "other level by name", f => f.ForLogLevel(LogLevel.ErrorLevel, new Regex("ten")), false },
        { "message", f => f.Warning("half past ten"), true },
        { "message is not its start", f => f.Warning("half"), false },
        { "message goes before start", f => f.Warning(message: "half", start: "half"), false },
        { "start", f => f.Warning(start: "half"), true },
        { "start is not the middle", f => f.Warning(start: "past"), false },
        { "contains", f => f.Warning(contains: "past"), true },
        { "contains not", f => f.Warning(contains: "Past"), false },
        { "pattern", f => f.Warning(new Regex("^h.*n$")), true },
        { "pattern not", f => f.Warning(new Regex("^n")), false },
        { "source", f => f.Warning(source: "akka://test/user/clock"), true },
        { "source by path", f => f.Warning(source: "/user/clock"), true },
        { "other source", f => f.Warning(source: "/user/watch"), false },
        { "message and other source", f => f.Warning("half past ten", source: "/user/watch"), false },
        { "custom", f => f.Custom(e => e.LogClass == typeof(EventFilterTests)), true },
        { "custom type", f => f.Custom<Warning>(e => e.Cause == null), true },
        { "custom other type", f => f.Custom<Error>(_ => true), false },
        { "and", f => f.Error().And.Warning(), true },
        { "and another", f => f.Warning().And.Error(), true },
        { "and neither", f => f.Debug("x").And.Error(), false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_filter_means_what_it_says(string name, Func<EventFilterFactory, IEventFilterApplier> filter, bool meant)
    {
        _ = name;
        void Log() => Sys.EventStream.Publish(
            new Warning("akka://test/user/clock", typeof(EventFilterTests), "half past ten"));

        if (meant)
            filter(EventFilter).ExpectOne(Log);
        else
            filter(EventFilter).Expect(0, Failure.Short, Log);
    }

    [Fact]
    public void Every_level_can_be_expected()
    {
        EventFilter.Debug("d").ExpectOne(() => Log.Debug("d"));
        EventFilter.Info("i").ExpectOne(() => Log.Info("i"));
        EventFilter.Warning("w").ExpectOne(() => Log.Warning("w"));
        EventFilter.Error("e").ExpectOne(() => Log.Error("e"));
        EventFilter.Debug(new Regex("d")).ExpectOne(() => Log.Debug("d"));
        EventFilter.Info(new Regex("i")).ExpectOne(() => Log.Info("i"));
        EventFilter.Error(new Regex("e")).ExpectOne(() => Log.Error("e"));
    }

    [Fact]
    public void An_exception_is_meant_by_type_and_text()
    {
        void Fail() => Log.Error(new InvalidOperationException("outer", new FormatException("inner")), "text");

        EventFilter.Exception<InvalidOperationException>().ExpectOne(Fail);
        EventFilter.Exception<SystemException>().ExpectOne(Fail);
        EventFilter.Exception<InvalidOperationException>("text").ExpectOne(Fail);
        EventFilter.Exception<InvalidOperationException>(start: "out").ExpectOne(Fail);
        EventFilter.Exception<InvalidOperationException>(new Regex("^outer$")).ExpectOne(Fail);
        EventFilter.Exception(typeof(FormatException), "inner", checkInnerExceptions: true).ExpectOne(Fail);
        EventFilter.Error("outer").ExpectOne(Fail);

        EventFilter.Exception<FormatException>().Expect(0, Failure.Short, Fail);
        EventFilter.Exception<InvalidOperationException>("other").Expect(0, Failure.Short, Fail);
        EventFilter.Exception<InvalidOperationException>().Expect(0, Failure.Short, () => Log.Error("no cause"));
    }

    [Fact]
    public void Dead_letters_are_meant_by_type_content_and_recipient()
    {
        var dead = ActorOf(Props.Create(() => new Relay(TestActor)), "dead");
        Watch(dead);
        Sys.Stop(dead);
        ExpectTerminated(dead);

        var letter = typeof(string);
        EventFilter.DeadLetter().ExpectOne(() => dead.Tell("a"));
        EventFilter.DeadLetter<string>().ExpectOne(() => dead.Tell("a"));
        EventFilter.DeadLetter<string>(s => s == "a").ExpectOne(() => dead.Tell("a"));
        EventFilter.DeadLetter<string>(source: "/user/dead").ExpectOne(() => dead.Tell("a"));
        EventFilter.DeadLetter(letter, m => (string)m == "a").Expect(0, Failure.Short, () => dead.Tell("b"));
        EventFilter.DeadLetter<int>().Expect(0, Failure.Short, () => dead.Tell("a"));
        EventFilter.DeadLetter<string>(s => s == "a").Expect(0, Failure.Short, () => dead.Tell("b"));
        EventFilter.DeadLetter<string>(source: "/user/other").Expect(0, Failure.Short, () => dead.Tell("a"));
    }

    [Fact]
    public void A_count_is_met_exactly()
    {
        Assert.Equal("result", EventFilter.Info("i").Expect(2, () =>
        {
            Log.Info("i");
            Log.Info("other");
            Log.Info("i");
            return "result";
        }));
        Assert.Equal(1, EventFilter.Info("i").ExpectOne(() =>
        {
            Log.Info("i");
            return 1;
        }));
        EventFilter.Info("i").Expect(2, Minute, () => LogTwice("i"));
    }

    [Fact]
    public void Too_few_or_too_many_events_fail()
    {
        Failure.Of(() => EventFilter.Info("i").ExpectOne(Failure.Short, () => { }));
        Failure.Of(() => EventFilter.Info("i").Expect(2, Failure.Short, () => Log.Info("i")));
        Failure.Of(() => EventFilter.Info("i").ExpectOne(Failure.Short, () => Log.Error("i")));
        // The log is asynchronous: a second event counts as one too many only if it is seen before the first is
        // reported, so that the block itself waits for both.
        Failure.Of(() => EventFilter.Info("i").ExpectOne(() => EventFilter.Info("x").ExpectOne(Minute, () =>
        {
            LogTwice("i");
            Log.Info("x");
        })));
        Failure.Of(() => EventFilter.Info("i").Expect(0, Minute, () => Log.Info("i")));
    }

    [Fact]
    public void An_expectation_ends_with_its_block()
    {
        EventFilter.Info("i").ExpectOne(() => Log.Info("i"));
        EventFilter.Info("i").Expect(0, Failure.Short, () => { });
        Assert.Throws<FormatException>(() => EventFilter.Info("i").ExpectOne(() => throw new FormatException()));
    }

    [Fact]
    public void What_is_muted_first_is_not_seen_by_a_later_filter()
    {
        EventFilter.Info("i").Mute(() => EventFilter.Info("i").Expect(0, Failure.Short, () => Log.Info("i")));
        Assert.Equal(1, EventFilter.Info("i").Mute(() => 1));

        using (EventFilter.Info("i").Mute())
            EventFilter.Info("i").Expect(0, Failure.Short, () => Log.Info("i"));
        EventFilter.Info("i").ExpectOne(() => Log.Info("i"));

        var muted = EventFilter.Info("i").Mute();
        muted.Unmute();
        EventFilter.Info("i").ExpectOne(() => Log.Info("i"));
    }

    [Fact]
    public void Another_system_has_its_own_events()
    {
        var other = ActorSystem.Create("other", DefaultConfig);
        try
        {
            CreateEventFilter(other).Warning("w").ExpectOne(Minute, () => other.Log.Warning("w"));
        }
        finally
        {
            Shutdown(other);
        }
    }

    private void LogTwice(string text)
    {
        Log.Info(text);
        Log.Info(text);
    }
}
