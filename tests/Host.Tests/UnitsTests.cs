using Userfault.Cli;

namespace Userfault.Host.Tests;

/// <summary>Sizes, durations and rates as people write them.</summary>
public class UnitsTests
{
    [Theory]
    [InlineData("4096", 1)]
    [InlineData("256M", 65536)]
    [InlineData("1GiB", 262144)]
    [InlineData("8 K", 2)]
    [InlineData("1T", 1UL << 28)]
    [InlineData("1.5TiB", 3UL << 27)]
    [InlineData("4096 t", 1UL << 40)]
    public void Sizes_are_binary(string text, ulong pages) => Assert.Equal(pages, Units.Pages("size", text));

    [Theory]
    [InlineData(1023, "1023 B")]
    [InlineData(4096, "4.0 KiB")]
    [InlineData(128L << 20, "128.0 MiB")]
    [InlineData(1023L << 30, "1023.0 GiB")]
    [InlineData(1L << 40, "1.0 TiB")]
    [InlineData(1L << 52, "4096.0 TiB")]
    public void Sizes_are_shown_in_the_widest_unit(long bytes, string text) => Assert.Equal(text, Units.Size(bytes));

    [Fact]
    public void A_size_beyond_any_address_space_names_the_option() =>
        Assert.StartsWith(
            "--memory: '4097T' ",
            Assert.Throws<CliException>(() => Units.Bytes("--memory", "4097T")).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("30us", 30_000)]
    [InlineData("1.5ms", 1_500_000)]
    [InlineData("2s", 2_000_000_000)]
    [InlineData("0", 0)]
    public void Durations_are_ns(string text, long ns) => Assert.Equal(ns, Units.DurationNs("time", text));

    [Theory]
    [InlineData("10Gbps", 10_000_000_000)]
    [InlineData("800Mbps", 800_000_000)]
    [InlineData("off", 0)]
    public void Bandwidths_are_decimal(string text, long bits) =>
        Assert.Equal(bits, Units.BitsPerSecond("bandwidth", text));

    [Theory]
    [InlineData("12 parsecs")]
    [InlineData("-1us")]
    [InlineData("us")]
    [InlineData("")]
    [InlineData("NaNs")]
    [InlineData("1e300s")]
    public void A_bad_duration_names_the_option(string text)
    {
        var error = Assert.Throws<CliException>(() => Units.DurationNs("--latency", text));
        Assert.StartsWith($"--latency: '{text}' ", error.Message, StringComparison.Ordinal);
    }
}
