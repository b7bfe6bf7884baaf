using System.Globalization;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>Sizes, durations and rates as people write them: 256M, 30us, 10Gbps, 1e9.</summary>
internal static class Units
{
    private static readonly (string Suffix, double Factor)[] Sizes =
    [
        ("KiB", 1L << 10),
        ("MiB", 1L << 20),
        ("GiB", 1L << 30),
        ("TiB", 1L << 40),
        ("K", 1L << 10),
        ("M", 1L << 20),
        ("G", 1L << 30),
        ("T", 1L << 40),
        ("B", 1),
        ("", 1),
    ];

    private static readonly (string Suffix, double Factor)[] Durations =
    [
        ("ns", 1),
        ("us", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("min", 60e9),
    ];

    private static readonly (string Suffix, double Factor)[] Bandwidths =
    [
        ("Gbps", 1e9),
        ("Mbps", 1e6),
        ("Kbps", 1e3),
        ("bps", 1),
    ];

    /// <summary>A size in bytes: "256M", "4GiB", "4096".</summary>
    public static ulong Bytes(string name, string text) =>
        Parse(name, text, Sizes, "a size such as 256M or 4GiB") is var bytes && bytes <= 1UL << 52
            ? (ulong)bytes
            : throw Bad(name, text, "a size up to 4096 TiB");

    /// <summary>A size in whole 4 KiB pages, at least one.</summary>
    public static ulong Pages(string name, string text)
    {
        var bytes = Bytes(name, text);
        return bytes >= Page.Size && bytes % Page.Size == 0
            ? bytes >> Page.Shift
            : throw Bad(name, text, "a size in whole pages of 4 KiB, at least one");
    }

    /// <summary>A duration in ns: "30us", "500ms", "0"; "off" is <paramref name="off"/>.</summary>
    public static long DurationNs(string name, string text, long? off = null)
    {
        if (off is { } value && text.Trim() == "off")
            return value;
        if (text.Trim() == "0")
            return 0;
        var ns = Parse(name, text, Durations, "a duration such as 30us or 500ms");
        return ns <= 3.6e15 ? (long)ns : throw Bad(name, text, "a duration below 1000 hours");
    }

    /// <summary>A bandwidth in bits/s: "10Gbps"; "off" is unlimited, 0.</summary>
    public static long BitsPerSecond(string name, string text) =>
        text.Trim() is "off" or "0"
            ? 0
            : (long)Parse(name, text, Bandwidths, "a bandwidth such as 10Gbps or 800Mbps, or off");

    /// <summary>Instructions a second: "1e9", "2500000000"; "off" is 0, order only.</summary>
    public static long InstructionsPerSecond(string name, string text)
    {
        if (text.Trim() == "off")
            return 0;
        var rate = Parse(name, text, [("", 1)], "instructions a second such as 1e9, or off");
        return rate is >= 1 and <= 1e15
            ? (long)rate
            : throw Bad(name, text, "instructions a second from 1 to 1e15, or off");
    }

    /// <summary>A count within bounds.</summary>
    public static int Count(string name, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        && value >= least
        && value <= most
            ? value
            : throw Bad(name, text, $"a whole number from {least} to {most}");

    /// <summary>A share from 0 to 1.</summary>
    public static double Share(string name, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1
            ? value
            : throw Bad(name, text, "a share from 0 to 1");

    /// <summary>on or off.</summary>
    public static bool Switch(string name, string text) =>
        text switch
        {
            "on" => true,
            "off" => false,
            _ => throw Bad(name, text, "on or off"),
        };

    /// <summary>A value of an enumeration, by its name in lower case with dashes.</summary>
    public static T OneOf<T>(string name, string text)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (NameOf(value) == text)
                return value;
        }

        throw Bad(name, text, "one of " + string.Join(", ", Enum.GetValues<T>().Select(NameOf)));
    }

    /// <summary>How an enumeration's value is written: GuestMemfd is "guest_memfd", X86 is "x86".</summary>
    public static string NameOf<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return string.Concat(
            name.Select(
                (c, i) =>
                    i > 0 && char.IsUpper(c) ? "_" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()
            )
        );
    }

    /// <summary>A duration for people: "31.2 us".</summary>
    public static string Duration(double ns) =>
        Math.Abs(ns) switch
        {
            < 0 => "-",
            < 1e3 => $"{ns:0} ns",
            < 1e6 => $"{ns / 1e3:0.0} us",
            < 1e9 => $"{ns / 1e6:0.00} ms",
            _ => $"{ns / 1e9:0.000} s",
        };

    /// <summary>A size for people: "128.0 MiB".</summary>
    public static string Size(double bytes) =>
        bytes switch
        {
            < 1 << 10 => $"{bytes:0} B",
            < 1 << 20 => $"{bytes / (1 << 10):0.0} KiB",
            < 1 << 30 => $"{bytes / (1 << 20):0.0} MiB",
            < 1L << 40 => $"{bytes / (1 << 30):0.0} GiB",
            _ => $"{bytes / (1L << 40):0.0} TiB",
        };

    /// <summary>The error for a value that cannot be used.</summary>
    public static CliException Bad(string name, string text, string wanted) => new($"{name}: '{text}' is not {wanted}");

    private static double Parse(string name, string text, (string Suffix, double Factor)[] units, string wanted)
    {
        var trimmed = text.Trim();
        foreach (var (suffix, factor) in units)
        {
            if (!trimmed.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                continue;
            var number = trimmed[..^suffix.Length].TrimEnd();
            if (
                double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && value >= 0
                && double.IsFinite(value)
            )
            {
                return value * factor;
            }
        }

        throw Bad(name, text, wanted);
    }
}
