namespace Userfault.Capacity.Tests;

public class KneeTests
{
    [Theory]
    [InlineData(new[] { 100.0, 200, 400, 800 }, 8, false)] // straight
    [InlineData(new[] { 100.0, 200, 280, 300 }, 2, true)] // 1.40 at the third
    [InlineData(new[] { 100.0, 200, 285, 300 }, 4, true)] // 1.43, then 1.05
    [InlineData(new[] { 100.0, 90, 400, 800 }, 8, false)] // a dip is no knee
    [InlineData(new[] { 100.0, 90, 400, 500 }, 4, true)]
    [InlineData(new[] { 100.0, 110, 120, 130 }, 1, true)]
    [InlineData(new[] { 100.0 }, 1, false)]
    public void It_is_where_doubling_no_longer_pays(double[] rates, int vcpus, bool isBent)
    {
        var knee = Knee.Of([
            .. rates.Select((rate, i) => Result(1 << i, rate, latencyNs: 30_000, fetcherNs: i * i * 1000)),
        ]);
        Assert.Equal((vcpus, isBent), (knee.Vcpus, knee.IsBent));
        Assert.Equal(isBent ? Bottleneck.Fetchers : Bottleneck.Latency, knee.Cause);
    }

    [Fact]
    public void Steps_that_are_no_doublings_count_by_their_length()
    {
        // Half as many vCPUs again should bring 1.22 times at least.
        Assert.False(Knee.Of([Result(64, 100, 1, 0), Result(96, 123, 1, 0)]).IsBent);
        Assert.True(Knee.Of([Result(64, 100, 1, 0), Result(96, 122, 1, 0)]).IsBent);
    }

    private static SweepResult Result(int vcpus, double rate, double latencyNs, double fetcherNs) =>
        new()
        {
            Point = new SweepPoint { Vcpus = vcpus },
            CompletionNs = 1_000_000_000,
            WholeNs = -1,
            Touches = (long)rate,
            Stalls = (long)rate,
            StallMeanNs = 0,
            StallP50Ns = 0,
            StallP99Ns = 0,
            Times = new SweepTimes(0, 0, 0, 0, latencyNs, fetcherNs, 0),
            FetcherUse = 0,
            NetworkUse = 0,
            Events = 0,
        };
}
