using System.Globalization;

namespace Userfault.Bench;

/// <summary>The options of a benchmark that has a word of its own: a name, then its value.</summary>
internal static class Arguments
{
    public static string Text(string[] args, string name, string otherwise)
    {
        var at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
    }

    public static int Number(string[] args, string name, int otherwise) =>
        int.Parse(Text(args, name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
}
