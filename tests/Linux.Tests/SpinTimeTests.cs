namespace Userfault.Linux.Tests;

public sealed class SpinTimeTests
{
    [Theory]
    [InlineData(2, 40, 1, 0)]
    [InlineData(3, 40, 1, 0)]
    [InlineData(4, 40, 1, 80)]
    [InlineData(64, 4, 1, 20)]
    [InlineData(64, 500, 1, 200)]
    // Looking is not much faster: other work has the processors.
    [InlineData(64, 40, 21, 0)]
    [InlineData(64, 40, 20, 80)]
    [InlineData(64, 40, 4000, 0)]
    public void It_is_twice_a_wake_up_where_processors_are_free(int processors, int asleepUs, int awakeUs, int us) =>
        Assert.Equal(
            TimeSpan.FromMicroseconds(us),
            SpinTime.Choose(processors, TimeSpan.FromMicroseconds(asleepUs), TimeSpan.FromMicroseconds(awakeUs))
        );

    [Fact]
    public void This_machine_has_one_choice()
    {
        var spin = SpinTime.OfThisMachine;
        Assert.InRange(spin, TimeSpan.Zero, TimeSpan.FromMilliseconds(0.2));
        Assert.Equal(spin, SpinTime.OfThisMachine);
        if (Environment.ProcessorCount < SpinTime.LeastProcessors)
            Assert.Equal(TimeSpan.Zero, spin);
    }
}
