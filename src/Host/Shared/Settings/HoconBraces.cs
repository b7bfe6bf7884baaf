namespace Userfault.Cli;

/// <summary>Finds a brace or bracket that is never closed, which Akka's parser lets pass.</summary>
internal static class HoconBraces
{
    /// <summary>The line, from 1, of the first brace that is not closed; null where all are.</summary>
    public static int? Unclosed(string text)
    {
        var open = new Stack<int>();
        var line = 1;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\n':
                    line++;
                    break;
                case '#':
                case '/' when i + 1 < text.Length && text[i + 1] == '/':
                    while (i + 1 < text.Length && text[i + 1] != '\n')
                        i++;
                    break;
                case '"':
                    while (++i < text.Length && text[i] is not ('"' or '\n'))
                    {
                        if (text[i] == '\\')
                            i++;
                    }

                    break;
                case '{' or '[':
                    open.Push(line);
                    break;
                case '}' or ']':
                    _ = open.TryPop(out _);
                    break;
            }
        }

        return open.Count == 0 ? null : open.Last();
    }
}
