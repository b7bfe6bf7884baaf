using Akka.Remote.Watching;

namespace Userfault.Engine.Tests.StandIn.Cluster;

public sealed class PhiAccrualTests
{
    private static readonly PhiAccrualDetector.Options Options = new(
        Threshold: 8, MaxSampleSize: 100, MinStdDeviation: Milliseconds(100), AcceptableHeartbeatPause: Milliseconds(3000), FirstHeartbeatEstimate: Milliseconds(1000));

    // -log10 of the upper tail of the normal distribution: 0.5, 0.15866, 0.02275, and the lower half. At three deviations
    // (0.00135, 2.87) the logistic approximation is off by as much as it ever is where it matters.
    [Theory]
    [InlineData(1000, 0.3010)]
    [InlineData(1100, 0.7995)]
    [InlineData(1200, 1.6430)]
    [InlineData(1300, 2.9095)]
    [InlineData(800, 0.0100)]
    public void Phi_is_the_tail_of_the_normal_distribution(double silence, double expected)
        => Assert.Equal(expected, PhiAccrualDetector.Phi(silence, mean: 1000, deviation: 100), 0.01);

    [Theory]
    [InlineData(1000, true)]
    [InlineData(4000, true)]
    [InlineData(4400, true)]
    [InlineData(4800, false)]
    [InlineData(60_000, false)]
    public void Silence_is_borne_for_the_acceptable_pause_and_a_little(int silence, bool available)
    {
        var detector = new PhiAccrualDetector(Options);
        for (var i = 0; i < 200; i++)
            detector.Heartbeat(Milliseconds(i * 1000));

        Assert.Equal(available, detector.IsAvailable(Milliseconds((199 * 1000) + silence)));
    }

    [Fact]
    public void Nobody_is_suspected_who_was_never_heard()
        => Assert.True(new PhiAccrualDetector(Options).IsAvailable(TimeSpan.FromDays(1)));

    [Fact]
    public void Who_comes_back_is_available_and_its_absence_is_no_habit()
    {
        var detector = new PhiAccrualDetector(Options);
        for (var i = 0; i < 200; i++)
            detector.Heartbeat(Milliseconds(i * 1000));
        var back = Milliseconds(199 * 1000) + TimeSpan.FromMinutes(10);
        Assert.False(detector.IsAvailable(back));

        detector.Heartbeat(back);

        Assert.True(detector.IsAvailable(back));
        Assert.False(detector.IsAvailable(back + Milliseconds(4800)));
    }

    [Fact]
    public void Irregular_heartbeats_are_given_more_time()
    {
        var regular = new PhiAccrualDetector(Options);
        var irregular = new PhiAccrualDetector(Options);
        var at = TimeSpan.Zero;
        for (var i = 0; i < 100; i++)
        {
            at += Milliseconds(1000);
            regular.Heartbeat(at);
            irregular.Heartbeat(at + Milliseconds(i % 2 * 400));
        }

        Assert.True(irregular.Phi(at + Milliseconds(4800)) < regular.Phi(at + Milliseconds(4800)));
    }

    private static TimeSpan Milliseconds(double count) => TimeSpan.FromMilliseconds(count);
}
