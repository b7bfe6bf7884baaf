using System.Text;

namespace Userfault.Capacity;

/// <summary>One line of CSV with RFC 4180 quotes; fields with line breaks are not supported.</summary>
internal static class CsvLine
{
    /// <summary>The fields of a line; null if a quote is not closed.</summary>
    public static string[]? Split(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (isQuoted && c == '"' && i + 1 < line.Length && line[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (c == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (c == ',' && !isQuoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(c);
            }
        }

        fields.Add(field.ToString());
        return isQuoted ? null : [.. fields];
    }

    /// <summary>Fields as a line, quoted where necessary.</summary>
    public static string Join(IEnumerable<string> fields) =>
        string.Join(
            ',',
            fields.Select(static field =>
                field.AsSpan().IndexOfAny(',', '"') < 0 ? field : $"\"{field.Replace("\"", "\"\"")}\""
            )
        );
}
