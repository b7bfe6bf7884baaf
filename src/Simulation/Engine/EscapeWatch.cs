using System.Diagnostics.Tracing;

namespace Userfault.Simulation;

/// <summary>
/// Detects work that a step hands to other threads. Tasks and thread-pool work are detected at the call, by the events
/// that the framework raises on the queueing thread; threads and real timers when they start to run, by the execution
/// context that they carry from the step that started them.
/// </summary>
/// <remarks>
/// Not detected: reading a real clock (the analyzers ban those), and a thread that is started without its context and
/// never sends a message to an actor.
/// </remarks>
internal sealed class EscapeWatch : EventListener
{
    private const EventKeywords TplTasks = (EventKeywords)0x3;
    private const EventKeywords ThreadPoolWork = (EventKeywords)0x2;

    // The actor whose step a context comes from. If the context appears on another thread, work has escaped.
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

    /// <summary>This thread runs a world from now on; null for none.</summary>
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
