using System.Collections;
using Xunit.Sdk;

namespace Akka.TestKit.Xunit2.Internals;

/// <summary>Two values that should have been equal, one above the other.</summary>
#pragma warning disable CA1032, CA1064 // thrown by the assertions and caught by xunit, nobody else
internal sealed class AkkaEqualException : XunitException
#pragma warning restore CA1032, CA1064
{
    public AkkaEqualException(object? expected, object? actual, string text)
        : base($"{(text.Length == 0 ? "The values are not equal." : text)}\nExpected: {Show(expected)}\nActual:   {Show(actual)}")
    {
    }

    private static string Show(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Show))}]",
        _ => value.ToString() ?? "",
    };
}
