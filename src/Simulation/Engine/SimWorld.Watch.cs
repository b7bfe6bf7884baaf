using Akka.Actor;
using Akka.Event;

namespace Userfault.Simulation;

/// <content>The running actor, escapes from the simulation, and the log.</content>
public sealed partial class SimWorld
{
    private ExecutionContext? _outside;
    private volatile SimEscapeException? _escape;

    internal bool IsOwnThread => Environment.CurrentManagedThreadId == _thread;

    /// <summary>Are the systems being ended? Escapes at this point are not part of the run.</summary>
    private bool IsEnding { get; set; }

    /// <summary>Is this an actor's own code, and not one of Akka's guardians?</summary>
    internal static bool IsUserCode(ActorPath path) =>
        path.Elements.Count > 1 && !path.Elements[^1].StartsWith("log", StringComparison.Ordinal);

    internal void EscapedByTell(SimLabel receiver, in Envelope envelope) =>
        Escaped(ThreadName(), $"told {receiver.Name} a {envelope.Message.GetType().Name}");

    internal void EscapedToThread(SimMailbox actor)
    {
        if (!IsOwnThread)
            Escaped(actor.Label.Name, $"its work runs on {ThreadName()}");
    }

    internal void EscapedToPool(string what)
    {
        if (_current is { IsWatched: true } actor)
            Escaped(actor.Label.Name, $"{what} while it took a {actor.Taken?.Name ?? "system message"}");
    }

    internal void OnLog(LogEvent happened)
    {
        if (!IsOwnThread)
        {
            Escaped(ThreadName(), $"logged \"{happened.Message}\"");
            return;
        }

        if (_log.Count == _options.KeptLogLines)
            _log.Dequeue();
        var cause = happened.Cause is null ? "" : $" ({happened.Cause.GetType().Name}: {happened.Cause.Message})";
        _log.Enqueue(new SimLogLine(NowNs, happened.LogLevel(), happened.LogSource, happened.Message + cause));
    }

    private static string ThreadName()
    {
        var name = Thread.CurrentThread.Name;
        return string.IsNullOrEmpty(name) ? $"thread {Environment.CurrentManagedThreadId}" : $"thread \"{name}\"";
    }

    private void Escaped(string culprit, string what)
    {
        // The first one is the cause; later ones may be its consequences.
        if (!IsEnding)
            Interlocked.CompareExchange(ref _escape, new SimEscapeException(culprit, what), null);
    }

    private void ThrowEscape()
    {
        if (_escape is { } escape)
            throw escape;
    }

    private void EnterWatch()
    {
        if (!_options.WatchesEscapes)
            return;
        _outside = ExecutionContext.Capture();
        EscapeWatch.Run(this);
    }

    private void LeaveWatch()
    {
        if (!_options.WatchesEscapes)
            return;
        EscapeWatch.Run(null);
        LeaveStep();
        _outside = null;
    }

    private void EnterStep(SimMailbox actor)
    {
        _current = actor;
        if (!_options.WatchesEscapes)
            return;
        if (actor.IsWatched)
            ExecutionContext.Restore(actor.Context ??= EscapeWatch.ContextOf(actor));
        else
            LeaveStep();
    }

    /// <summary>
    /// Work started from here on belongs to no actor: Akka's guardians, and the world's own timers that create or end a
    /// system, must not be attributed to the actor that ran before them.
    /// </summary>
    internal void LeaveStep()
    {
        if (_outside is not null)
            ExecutionContext.Restore(_outside);
    }
}
