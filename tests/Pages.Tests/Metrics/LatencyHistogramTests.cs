namespace Userfault.Pages.Tests.Metrics;

public class LatencyHistogramTests
{
    [Fact]
    public void An_empty_histogram_answers_zero()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal(0, histogram.PercentileNs(99));
        Assert.Equal(0, histogram.MaxNs);
        Assert.Empty(histogram.Buckets());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(31, 31)]
    [InlineData(32, 32)]
    [InlineData(63, 63)]
    [InlineData(64, 65)]
    [InlineData(30_000, 30_207)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void A_value_lies_in_a_bucket_with_this_upper_edge(long valueNs, long upperEdgeNs)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(valueNs);
        var (low, high, count) = Assert.Single(histogram.Buckets());
        Assert.Equal((upperEdgeNs, 1L), (high, count));
        Assert.InRange(valueNs, low, high);
        Assert.Equal(valueNs, histogram.PercentileNs(50));
    }

    [Fact]
    public void Percentiles_agree_with_a_sorted_list_to_within_a_bucket()
    {
        var random = new Random(7);
        var values = Enumerable.Range(0, 20_000).Select(_ => (long)Math.Exp(random.NextDouble() * 20)).ToArray();
        var histogram = new LatencyHistogram();
        foreach (var value in values)
            histogram.Record(value);
        Array.Sort(values);

        foreach (var percentile in new[] { 0.1, 25, 50, 90, 99, 99.9, 100 })
        {
            var exact = values[Math.Max(0, (int)Math.Ceiling(values.Length * percentile / 100) - 1)];
            Assert.InRange(histogram.PercentileNs(percentile), exact, exact + exact / 32);
        }

        Assert.Equal(values[^1], histogram.MaxNs);
        Assert.Equal(values[0], histogram.MinNs);
        Assert.Equal(values.Sum(), histogram.SumNs);
    }

    [Fact]
    public void Two_histograms_add_up_to_one_of_all_values()
    {
        var (left, right, both) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        for (var i = 0; i < 1000; i++)
        {
            (i % 3 == 0 ? left : right).Record(i * 997);
            both.Record(i * 997);
        }

        left.Add(right);
        Assert.Equal(both.Buckets(), left.Buckets());
        Assert.Equal(
            (both.Count, both.SumNs, both.MinNs, both.MaxNs),
            (left.Count, left.SumNs, left.MinNs, left.MaxNs)
        );
    }
}
