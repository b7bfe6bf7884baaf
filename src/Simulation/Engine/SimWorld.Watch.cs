using Akka.Actor;
using Akka.Event;

namespace Userfault.Simulation;

/// <content>Who runs now, what leaves the simulation, and what is logged.</content>
public sealed partial class SimWorld
{
    private ExecutionContext? _outside;
    private volatile SimEscapeException? _escape;

    internal bool IsOwnThread => Environment.CurrentManagedThreadId == _thread;

    /// <summary>Are the systems being ended? What leaves then has no part in the run.</summary>
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
        // The first is the cause; what follows may be its consequence.
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
    /// What is started from here on is no actor's doing: one of Akka's guardians, or a timer of the world itself that
    /// makes or ends a system, must not go by the name of the actor that ran before it.
    /// </summary>
    internal void LeaveStep()
    {
        if (_outside is not null)
            ExecutionContext.Restore(_outside);
    }
}
