using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;

namespace Userfault.Hostile.Tests;

/// <summary>Keeps the log of each actor system that is configured with <see cref="Config"/>.</summary>
internal static class LogLines
{
    private static readonly ConcurrentDictionary<ActorSystem, ConcurrentQueue<string>> Lines = new();

    /// <summary>The configuration of a system whose log is kept.</summary>
    /// <param name="level">The lowest level to keep.</param>
    public static string Config(string level) => $"""
        akka.loggers = ["{typeof(Logger).FullName}, {typeof(Logger).Assembly.GetName().Name}"]
        akka.loglevel = {level}
        akka.stdout-loglevel = OFF
        akka.log-dead-letters = off
        """;

    /// <summary>The lines so far.</summary>
    public static IReadOnlyCollection<string> Of(ActorSystem system) => Lines.GetOrAdd(system, static _ => new());

    /// <summary>A logger that asks the system's filters, as loggers should.</summary>
    public sealed class Logger : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case InitializeLogger:
                    Sender.Tell(new LoggerInitialized());
                    break;
                case LogEvent said when Context.System.Settings.LogFilter.ShouldTryKeepMessage(said, out var text):
                    var line = $"{said.LogLevel()} {said.LogClass.Name}: {text} {said.Cause?.Message}";
                    Lines.GetOrAdd(Context.System, static _ => new()).Enqueue(line);
                    break;
                case LogEvent:
                    break;
                default:
                    Unhandled(message);
                    break;
            }
        }
    }
}
