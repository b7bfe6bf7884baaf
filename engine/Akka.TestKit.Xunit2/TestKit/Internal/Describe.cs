using System.Collections;
using Akka.Actor;

namespace Akka.TestKit.Internal;

/// <summary>Turns what a test expected and what it got into words for a failure message.</summary>
internal static class Describe
{
    private const int MaxItems = 10;

    public static string Message(object? message) => message switch
    {
        null => "null",
        string text => $"\"{text}\"",
        IActorRef actor => Actor(actor),
        IEnumerable items => Items(items),
        _ => Text(message),
    };

    public static string MessageAndType(object? message) =>
        message == null ? "null" : $"{Message(message)} ({Type(message.GetType())})";

    public static string Actor(IActorRef? actor) => actor == null || actor.IsNobody() ? "nobody" : $"[{actor.Path}]";

    /// <summary>A type as it is written in C#, without its namespace.</summary>
    public static string Type(Type type)
    {
        var name = type.IsNested && !type.IsGenericParameter ? $"{Type(type.DeclaringType!)}.{type.Name}" : type.Name;
        if (!type.IsGenericType)
            return name;
        var tick = name.LastIndexOf('`');
        var arguments = string.Join(", ", type.GetGenericArguments().Select(Type));
        return $"{(tick < 0 ? name : name[..tick])}<{arguments}>";
    }

    public static string Time(TimeSpan time) =>
        time.TotalSeconds < 1 ? $"{time.TotalMilliseconds:0} ms" : $"{time.TotalSeconds:0.###} s";

    public static string Hint(string? hint) => string.IsNullOrEmpty(hint) ? "" : $" Hint: {hint}";

    private static string Items(IEnumerable items)
    {
        var shown = new List<string>();
        foreach (var item in items)
        {
            if (shown.Count == MaxItems)
            {
                shown.Add("...");
                break;
            }
            shown.Add(Message(item));
        }
        return $"[{string.Join(", ", shown)}]";
    }

    private static string Text(object message)
    {
        try
        {
            return message.ToString() ?? Type(message.GetType());
        }
#pragma warning disable CA1031 // a message whose ToString fails must not hide why the test failed
        catch (Exception e)
#pragma warning restore CA1031
        {
            return $"its ToString threw {e.GetType().Name}";
        }
    }
}
