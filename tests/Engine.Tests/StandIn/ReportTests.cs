using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests.StandIn;

/// <summary>The words of every failure: what was expected, what came instead, from whom, after how long.</summary>
public sealed partial class ReportTests : TestKit
{
    private readonly TestProbe _sender;

    public ReportTests()
        : base("akka.test.single-expect-default = 20ms") => _sender = CreateTestProbe("sender");

    public static TheoryData<string, Action<ReportTests>> Reports => new()
    {
        {
            "Expected a message of type String, but [TEST] received nothing within T. Hint: h",
            t => t.ExpectMsg<string>(hint: "h")
        },
        {
            "Expected \"text\" (String), but [TEST] received nothing within T.",
            t => t.ExpectMsg("text")
        },
        {
            "Expected a message of type String, but [TEST] received 1 (Int32) from [SENDER] after T. Hint: h",
            t => t.Sent(1).ExpectMsg<string>(hint: "h")
        },
        {
            "Expected \"text\" (String), but [TEST] received \"test\" (String) from [SENDER] after T.\n"
                + "Expected: \"text\"\nActual:   \"test\"",
            t => t.Sent("test").ExpectMsg("text")
        },
        {
            "Expected [1, 2] (Int32[]), but [TEST] received [1, 3] (Int32[]) from [SENDER] after T.\n"
                + "Expected: [1, 2]\nActual:   [1, 3]",
            t => t.Sent(new[] { 1, 3 }).ExpectMsg(new[] { 1, 2 })
        },
        {
            "Expected a message of type Int32 that the predicate accepts, but [TEST] received 1 (Int32) from [SENDER] after T.",
            t => t.Sent(1).ExpectMsg<int>(n => n > 1)
        },
        {
            "Expected 2 (Int32), but [TEST] received 1 (Int32) from [SENDER] after T.\nExpected: 2\nActual:   1",
            t => t.Sent(1).ExpectMsg(2, (_, _) => false)
        },
        {
            "Expected a message of type Int32 from [OTHER], but [TEST] received 1 (Int32) from [SENDER] after T.",
            t => t.Sent(1).ExpectMsgFrom<int>(t.CreateTestProbe("other").Ref)
        },
        {
            "Expected any of [\"a\", \"b\"], but [TEST] received \"c\" (String) from [SENDER] after T.",
            t => t.Sent("c").ExpectMsgAnyOf("a", "b")
        },
        {
            "Expected all of [1, 2] within T; after T [TEST] had received 2 of 2: "
                + "[<1> from [SENDER], <3> from [SENDER]]. Missing: [2]. Unexpected: [<3> from [SENDER]].",
            t => t.Sent(1).Sent(3).ExpectMsgAllOf(1, 2)
        },
        {
            "Expected all of [1, 2] within T; after T [TEST] had received 1 of 2: [<1> from [SENDER]]. "
                + "Missing: [2]. Unexpected: [].",
            t => t.Sent(1).ExpectMsgAllOf(1, 2)
        },
        {
            "Expected Terminated of [SENDER], but [TEST] received nothing within T.",
            t => t.ExpectTerminated(t._sender)
        },
        {
            "Expected Terminated of [OTHER], but [TEST] received <Terminated>: [akka://test/system/sender] - "
                + "ExistenceConfirmed=True (Terminated) from [SENDER] after T.",
            t => t.Stopped().ExpectTerminated(t.CreateTestProbe("other").Ref, TimeSpan.FromMinutes(1))
        },
        {
            "Expected no message during T, but [TEST] received \"a {0}\" (String) from [SENDER] after T.",
            t => t.Sent("a {0}").ExpectNoMsg()
        },
        {
            "Expected 3 messages within T, but [TEST] received only 2: [1, \"a\"].",
            t => t.Sent(1).Sent("a").ReceiveN(3)
        },
        {
            "Expected a message of type Int32 that the predicate accepts within T; [TEST] received only "
                + "[<1> from [SENDER], <\"a\"> from [SENDER]]. Hint: h",
            t => t.Sent(1).Sent("a").FishForMessage<int>(n => n > 1, hint: "h")
        },
        {
            "Expected a message of type ReportTests.Nested<List<String>>, but [TEST] received Nested (ReportTests.Nested<Int32>) "
                + "from [SENDER] after T.",
            t => t.Sent(new Nested<int>()).ExpectMsg<Nested<List<string>>>()
        },
        {
            "Expected a message of type String, but [TEST] received its ToString threw FormatException (ReportTests.Mute) "
                + "from nobody after T.",
            t => t.Unsigned(new Mute()).ExpectMsg<string>()
        },
        {
            "The condition did not hold within T. because",
            t => t.AwaitCondition(() => false, message: "because")
        },
        {
            "The block took T, expected at least T. Hint: h",
            t => t.Within(TimeSpan.FromHours(1), TimeSpan.FromHours(2), () => { }, "h")
        },
        {
            "The block took T, expected at most T.",
            t => t.Within(TimeSpan.FromMilliseconds(1), () =>
            {
                t.AwaitConditionNoThrow(() => false, Failure.Short);
            })
        },
        {
            "The block must take at least T, but the block around it has only T left.",
            t => t.Within(TimeSpan.FromHours(1), () => t.Within(TimeSpan.FromHours(2), TimeSpan.FromHours(3), () => { }))
        },
        {
            "Expected 1 log event [Warning with message == \"w\" and source == \"/user/x\"], but only 0 came until T after the block.",
            t => t.EventFilter.Warning("w", source: "/user/x").ExpectOne(Failure.Short, () => { })
        },
        {
            "Expected 2 log events [Info with message starting with \"i\" or Error caused by FormatException with message "
                + "matching /x/], but only 0 came until T after the block.",
            t => t.EventFilter.Info(start: "i").And.Exception<FormatException>(Pattern())
                .Expect(2, Failure.Short, () => { })
        },
    };

    [Theory]
    [MemberData(nameof(Reports))]
    public void A_failure_says_what_a_person_wants_to_know(string expected, Action<ReportTests> failing) =>
        Assert.Equal(expected, Normalize(Failure.Of(() => failing(this))));

    [Fact]
    public void A_count_of_log_events_shows_the_last_one()
    {
        var report = Failure.Of(() => EventFilter.Warning().Expect(
            0, TimeSpan.FromMinutes(1), () => Sys.EventStream.Publish(new Warning("source", typeof(int), "half past ten"))));
        Assert.StartsWith("Expected 0 log events [Warning], but 1 came. Last seen: [WARNING]", report, StringComparison.Ordinal);
        Assert.EndsWith("[source] half past ten", report, StringComparison.Ordinal);
    }

    [Fact]
    public void A_latch_and_a_barrier_say_who_is_missing()
    {
        var latch = CreateTestLatch(3);
        latch.CountDown();
        Assert.Equal(
            "The latch did not open within T: 2 of 3 count-downs are missing.",
            Normalize(Assert.Throws<TimeoutException>(() => latch.Ready(Failure.Short)).Message));
        Assert.Equal(
            "Not all of 2 threads reached the barrier within T.",
            Normalize(Assert.Throws<TimeoutException>(() => CreateTestBarrier(2).Await(Failure.Short)).Message));
    }

    private ReportTests Sent(object message)
    {
        TestActor.Tell(message, _sender);
        return this;
    }

    private ReportTests Stopped()
    {
        Watch(_sender);
        Sys.Stop(_sender);
        return this;
    }

    private ReportTests Unsigned(object message)
    {
        TestActor.Tell(message, ActorRefs.NoSender);
        return this;
    }

    private string Normalize(string report) => Time().Replace(Uid().Replace(report, ""), "T")
        .Replace($"[{TestActor.Path}]", "[TEST]", StringComparison.Ordinal)
        .Replace("from [akka://test/system/sender]", "from [SENDER]", StringComparison.Ordinal)
        .Replace("of [akka://test/system/sender]", "of [SENDER]", StringComparison.Ordinal)
        .Replace("from [akka://test/system/other]", "from [OTHER]", StringComparison.Ordinal)
        .Replace("of [akka://test/system/other]", "of [OTHER]", StringComparison.Ordinal);

    [GeneratedRegex(@"\b\d+(\.\d+)? m?s\b")]
    private static partial Regex Time();

    [GeneratedRegex(@"#\d+")]
    private static partial Regex Uid();

    [GeneratedRegex("x")]
    private static partial Regex Pattern();

    private sealed class Nested<T>
    {
        public override string ToString() => "Nested";
    }

    private sealed class Mute
    {
        public override string ToString() => throw new FormatException();
    }
}
