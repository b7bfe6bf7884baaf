namespace Userfault.Capacity.Tests;

public class ClosedQueueTests
{
    // By hand: with one customer think + service. With two the arriving one finds 2/5 of a customer: 3 + 2 (1 + 2/5).
    // With three it finds n R / round = 2 * 2.8 / 5.8 of one: 3 + 2 (1 + 5.6 / 5.8).
    [Theory]
    [InlineData(1, 5.0)]
    [InlineData(2, 5.8)]
    [InlineData(3, 6.931034483)]
    public void A_round_is_what_mean_value_analysis_says(int customers, double expected) =>
        Assert.Equal(expected, ClosedQueue.RoundNs(customers, 3, 2), 8);

    [Fact]
    public void Many_customers_leave_only_the_server() => Assert.InRange(ClosedQueue.RoundNs(1000, 3, 2), 1996.9, 2000);

    [Fact]
    public void No_customers_is_a_fault() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ClosedQueue.RoundNs(0, 3, 2));

    // y = 2 + 4 y / (6 + y) by hand: y^2 = 12, and 2 + 4 * 3.464 / 9.464 is 3.464 again.
    [Theory]
    [InlineData(6.0, 2.0, 0.0, 2.0)] // nobody else
    [InlineData(6.0, 2.0, 4.0, 3.464101615)]
    [InlineData(0.0, 2.0, 4.0, 6.0)] // the others are always there
    [InlineData(6.0, 0.0, 4.0, 0.0)] // no time there, no wait
    [InlineData(0.0, 0.0, 0.0, 0.0)]
    public void A_visit_finds_the_others_as_often_as_they_are_there(
        double think,
        double service,
        double others,
        double expected
    ) => Assert.Equal(expected, ClosedQueue.VisitNs(think, service, others), 8);
}
