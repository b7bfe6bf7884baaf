using System.Text.RegularExpressions;
using Akka.Configuration;

namespace Userfault.Cli;

/// <summary>One key of akka.hocon with its value, as <c>--set KEY=VALUE</c> gives it.</summary>
internal static partial class KeyAssignment
{
    /// <summary>The option's name, for messages.</summary>
    public const string Option = "--set";

    /// <summary>The key and the value of KEY=VALUE.</summary>
    /// <exception cref="CliException">It is none.</exception>
    public static (string Key, string Value) Parse(string text)
    {
        var (key, equals, value) = text.IndexOf('=') is var at and >= 0
            ? (text[..at].Trim(), true, text[(at + 1)..].Trim())
            : (text, false, "");
        return equals && KeyPattern.IsMatch(key)
            ? (key, value)
            : throw Units.Bad(Option, text, "a key and its value, such as userfault.fetcher.count=4");
    }

    /// <summary>The same as a configuration. The value is one string, whatever stands in it.</summary>
    public static Config ToConfig(string key, string value)
    {
        var quoted = value.Replace("\\", "\\\\").Replace("\"", "\\\"");
        return ConfigurationFactory.ParseString($"{key} = \"{quoted}\"");
    }

    [GeneratedRegex(@"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
    private static partial Regex KeyPattern { get; }
}
