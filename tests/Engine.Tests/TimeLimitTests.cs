using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class TimeLimitTests : TestKit
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public TimeLimitTests()
        : base("""
            akka.test {
              timefactor = 2.0
              single-expect-default = 250ms
              default-timeout = 7s
              filter-leeway = 1500ms
            }
            """)
    {
    }

    [Fact]
    public void The_settings_come_from_the_configuration()
    {
        Assert.Equal(2.0, TestKitSettings.TestTimeFactor);
        Assert.Equal(TimeSpan.FromMilliseconds(250), TestKitSettings.SingleExpectDefault);
        Assert.Equal(TimeSpan.FromSeconds(7), TestKitSettings.DefaultTimeout);
        Assert.Equal(TimeSpan.FromMilliseconds(1500), TestKitSettings.TestEventFilterLeeway);
    }

    [Fact]
    public void Durations_are_dilated()
    {
        Assert.Equal(TimeSpan.FromMinutes(2), Dilated(Minute));
        Assert.Equal(TimeSpan.Zero, Dilated(TimeSpan.Zero));
        Assert.Equal(Timeout.InfiniteTimeSpan, Dilated(Timeout.InfiniteTimeSpan));
        Assert.Equal(TimeSpan.FromMinutes(2), RemainingOrDilated(Minute));
        Assert.Equal(TimeSpan.FromMilliseconds(500), RemainingOrDilated(null));
        Assert.Equal(TimeSpan.FromMilliseconds(500), RemainingOrDefault);
        Assert.Equal(Minute, RemainingOr(Minute));
        Assert.Equal(TimeSpan.FromMilliseconds(250), GetTimeoutOrDefault(null));
        Assert.Equal(Minute, GetTimeoutOrDefault(Minute));
        Assert.Throws<ArgumentException>(() => RemainingOrDilated(Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public void Within_limits_what_it_runs()
    {
        Assert.Equal(5, Within(Minute, () =>
        {
            Assert.InRange(Remaining, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2));
            Assert.InRange(RemainingOrDefault, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2));
            Within(TimeSpan.FromSeconds(20), () => Assert.True(Remaining <= TimeSpan.FromSeconds(40)));
            Within(TimeSpan.FromHours(1), () => Assert.True(Remaining <= TimeSpan.FromMinutes(2)));
            TestActor.Tell(5);
            return ExpectMsg<int>();
        }));
        Within(TimeSpan.Zero, Minute, () => { });
    }

    [Fact]
    public void Remaining_needs_a_Within() => Assert.Throws<InvalidOperationException>(() => Remaining);

    [Fact]
    public void A_block_that_is_too_fast_or_too_slow_fails()
    {
        Failure.Of(() => Within(TimeSpan.FromHours(1), TimeSpan.FromHours(2), () => { }));
        Failure.Of(() => Within(TimeSpan.FromMilliseconds(1), () =>
        {
            AwaitConditionNoThrow(() => false, Failure.Short);
        }));
        Within(Minute, () =>
        {
            Failure.Of(() => Within(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(6), () => { }));
        });
        Assert.Throws<InvalidOperationException>(() => Remaining);
    }

    [Fact]
    public void AwaitAssert_tries_until_nothing_is_thrown()
    {
        var tries = 0;
        AwaitAssert(() => Assert.True(++tries == 3), Minute, TimeSpan.FromMilliseconds(1));
        Assert.Equal(3, tries);

        tries = 0;
        Assert.Throws<FormatException>(() => AwaitAssert(
            () => throw new FormatException($"{++tries}"), Failure.Short, TimeSpan.FromMilliseconds(1)));
        Assert.True(tries > 1);
    }

    [Fact]
    public void AwaitCondition_asks_until_it_holds()
    {
        var questions = 0;
        AwaitCondition(() => ++questions == 2, Minute, TimeSpan.FromMilliseconds(1));
        AwaitCondition(() => true);
        Assert.True(AwaitConditionNoThrow(() => ++questions >= 4, Minute, TimeSpan.FromMilliseconds(1)));

        Assert.False(AwaitConditionNoThrow(() => false, Failure.Short));
        Failure.Of(() => AwaitCondition(() => false, Failure.Short));
        Failure.Of(() => AwaitCondition(() => false, Failure.Short, TimeSpan.FromMilliseconds(1), "hint"));
    }

    [Fact]
    public void A_latch_opens_after_its_count_downs()
    {
        var latch = CreateTestLatch(2);
        latch.CountDown();
        Assert.False(latch.IsOpen);
        Assert.Throws<TimeoutException>(() => latch.Ready(TimeSpan.FromMilliseconds(1)));
        latch.CountDown();
        Assert.True(latch.IsOpen);
        latch.Ready();
        latch.Reset();
        Assert.False(latch.IsOpen);
        latch.Open();
        latch.Ready(Minute);
    }

    [Fact]
    public void A_barrier_lets_threads_go_together()
    {
        var barrier = CreateTestBarrier(2);
        var passed = 0;
        var other = new Thread(() =>
        {
            barrier.Await(Minute);
            Interlocked.Increment(ref passed);
            barrier.Await(Minute);
        });
        other.Start();
        barrier.Await(Minute);
        barrier.Await(Minute);
        Assert.Equal(1, passed);
        other.Join();
    }
}
