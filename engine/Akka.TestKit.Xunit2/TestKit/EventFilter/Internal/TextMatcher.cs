using System.Text.RegularExpressions;
using Akka.Actor;

namespace Akka.TestKit.Internal;

/// <summary>A condition on the text or the source of a log event, with its description for reports.</summary>
internal sealed record TextMatcher(Predicate<string> IsMatch, string Description)
{
    /// <summary>The first condition that is given counts; null where there is none.</summary>
    public static TextMatcher? ForMessage(string? message, string? start, string? contains)
    {
        if (message != null)
            return new(text => text == message, $"message == \"{message}\"");
        if (start != null)
            return new(text => text.StartsWith(start, StringComparison.Ordinal), $"message starting with \"{start}\"");
        return contains == null
            ? null
            : new(text => text.Contains(contains, StringComparison.Ordinal), $"message containing \"{contains}\"");
    }

    public static TextMatcher ForMessage(Regex pattern) => new(pattern.IsMatch, $"message matching /{pattern}/");

    /// <summary>A log source as it is written, or the path of an actor without its system's address.</summary>
    public static TextMatcher? ForSource(string? source) => source == null
        ? null
        : new(text => IsSource(source, text), $"source == \"{source}\"");

    private static bool IsSource(string expected, string actual) =>
        string.Equals(expected, actual, StringComparison.OrdinalIgnoreCase)
        || (ActorPath.TryParse(actual, out var path)
            && string.Equals(expected, path.ToStringWithoutAddress(), StringComparison.OrdinalIgnoreCase));
}
