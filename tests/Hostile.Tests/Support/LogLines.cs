using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;

namespace Userfault.Hostile.Tests;

/// <summary>The log of every actor system of this process that names <see cref="Logger"/>, by the system's address.</summary>
internal static class LogLines
{
    private static readonly ConcurrentDictionary<ActorSystem, ConcurrentQueue<string>> Lines = new();

    /// <summary>Configuration of a system whose log is kept.</summary>
    /// <param name="level">Of which level on.</param>
    public static string Config(string level) => $"""
        akka.loggers = ["{typeof(Logger).FullName}, {typeof(Logger).Assembly.GetName().Name}"]
        akka.loglevel = {level}
        akka.stdout-loglevel = OFF
        akka.log-dead-letters = off
        """;

    /// <summary>What was logged so far.</summary>
    public static IReadOnlyCollection<string> Of(ActorSystem system) => Lines.GetOrAdd(system, static _ => new());

    /// <summary>A logger as it has to be: it asks the system's filters.</summary>
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
                    Lines.GetOrAdd(Context.System, static _ => new()).Enqueue($"{said.LogLevel()} {said.LogClass.Name}: {text} {said.Cause?.Message}");
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
