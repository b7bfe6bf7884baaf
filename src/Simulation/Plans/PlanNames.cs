using System.Text;

namespace Userfault.Simulation;

/// <summary>The names of enumeration values in plans: lower case with dashes.</summary>
internal static class PlanNames
{
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        var text = new StringBuilder(name.Length + 4);
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0)
                text.Append('-');
            text.Append(char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }

    public static T Parse<T>(string text)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (Of(value) == text)
                return value;
        }

        throw new FormatException($"'{text}' is none of {string.Join(", ", Enum.GetValues<T>().Select(Of))}");
    }
}
