namespace Userfault.Cli;

/// <summary>
/// Lists and ranges of counts: <c>1,2,8</c>, <c>1..512</c> (both ends and the powers of two between), <c>16..128:16</c>
/// (steps of 16).
/// </summary>
internal static class SweepRanges
{
    private const int MostValues = 4096;

    /// <summary>The counts, ascending, each once.</summary>
    /// <exception cref="CliException">One line that names the option.</exception>
    public static IReadOnlyList<int> Counts(string name, string text, int most)
    {
        var values = new SortedSet<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            foreach (var value in Part(name, part, most))
                values.Add(value);
            if (values.Count > MostValues)
                throw new CliException($"{name}: '{text}' names more than {MostValues} values");
        }

        return [.. values];
    }

    /// <summary>The items of a list, each once, in their order.</summary>
    public static IReadOnlyList<T> List<T>(string text, Func<string, T> item) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries).Select(item).Distinct()];

    private static IEnumerable<int> Part(string name, string part, int most)
    {
        var dots = part.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
            return [Units.Count(name, part, 1, most)];
        var colon = part.IndexOf(':', dots);
        var low = Units.Count(name, part[..dots], 1, most);
        var high = Units.Count(name, colon < 0 ? part[(dots + 2)..] : part[(dots + 2)..colon], 1, most);
        if (high < low)
            throw Units.Bad(name, part, "a range from a lower to a higher count");
        return colon < 0 ? Doubling(low, high) : Stepping(low, high, Units.Count(name, part[(colon + 1)..], 1, most));
    }

    private static IEnumerable<int> Doubling(int low, int high)
    {
        yield return low;
        for (var power = 1L; power < high; power *= 2)
        {
            if (power > low)
                yield return (int)power;
        }

        yield return high;
    }

    private static IEnumerable<int> Stepping(int low, int high, int step)
    {
        for (long value = low; value < high; value += step)
            yield return (int)value;
        yield return high;
    }
}
