using System.Diagnostics.Tracing;

namespace Userfault.Simulation;

/// <summary>
/// Notices work that a step hands to somebody else. Tasks and pool work are noticed at the very call, by the events
/// that the framework raises on the thread that queues them; threads and real timers when they begin to run, by the
/// execution context that they take along from the step that started them.
/// </summary>
/// <remarks>
/// What goes unnoticed: a look at a real clock (the analyzers ban those), and a thread started without its context
/// that never tells an actor anything.
/// </remarks>
internal sealed class EscapeWatch : EventListener
{
    private const EventKeywords TplTasks = (EventKeywords)0x3;
    private const EventKeywords ThreadPoolWork = (EventKeywords)0x2;

    // Which actor's step a context comes from. A context that turns up on another thread tells on it.
    private static readonly AsyncLocal<SimMailbox?> Step = new(static change =>
    {
        if (change.ThreadContextChanged && change.CurrentValue is { } actor)
            actor.World.EscapedToThread(actor);
    });

    private static readonly EscapeWatch Instance = new();

    [ThreadStatic]
    private static SimWorld? RunningHere;

    /// <summary>The context of an actor's steps.</summary>
    public static ExecutionContext ContextOf(SimMailbox actor)
    {
        var before = Step.Value;
        Step.Value = actor;
        var context =
            ExecutionContext.Capture() ?? throw new InvalidOperationException("the flow of contexts is suppressed");
        Step.Value = before;
        return context;
    }

    /// <summary>This thread runs a world from now on; null: no more.</summary>
    public static void Run(SimWorld? world)
    {
        GC.KeepAlive(Instance);
        RunningHere = world;
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        switch (eventSource.Name)
        {
            case "System.Threading.Tasks.TplEventSource":
                EnableEvents(eventSource, EventLevel.Verbose, TplTasks);
                break;
            case "System.Diagnostics.Eventing.FrameworkEventSource":
                EnableEvents(eventSource, EventLevel.Verbose, ThreadPoolWork);
                break;
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (RunningHere is not { } world)
            return;
        switch (eventData.EventName)
        {
            case "TaskScheduled":
                world.EscapedToPool("scheduled a task");
                break;
            case "ThreadPoolEnqueueWork":
                world.EscapedToPool("queued work on the thread pool");
                break;
        }
    }
}
