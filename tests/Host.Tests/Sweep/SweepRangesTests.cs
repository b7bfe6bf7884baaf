using Userfault.Cli;

namespace Userfault.Host.Tests;

public class SweepRangesTests
{
    [Theory]
    [InlineData("7", new[] { 7 })]
    [InlineData("8,1,2,8", new[] { 1, 2, 8 })]
    [InlineData("1..16", new[] { 1, 2, 4, 8, 16 })]
    [InlineData("3..20", new[] { 3, 4, 8, 16, 20 })]
    [InlineData("5..5", new[] { 5 })]
    [InlineData("16..50:16", new[] { 16, 32, 48, 50 })]
    [InlineData("1..4, 416", new[] { 1, 2, 4, 416 })]
    public void Ranges_name_their_counts(string text, int[] expected) =>
        Assert.Equal(expected, SweepRanges.Counts("--vcpus", text, 512));

    [Theory]
    [InlineData("")]
    [InlineData("0..4")]
    [InlineData("4..2")]
    [InlineData("1..")]
    [InlineData("1..8:0")]
    [InlineData("1..513")]
    [InlineData("many")]
    [InlineData("1,,2")]
    public void Bad_ranges_name_the_option(string text) =>
        Assert.StartsWith(
            "--vcpus: ",
            Assert.Throws<CliException>(() => SweepRanges.Counts("--vcpus", text, 512)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void A_list_has_each_item_once() =>
        Assert.Equal(["b", "a"], SweepRanges.List("b, a,b", static item => item));
}
