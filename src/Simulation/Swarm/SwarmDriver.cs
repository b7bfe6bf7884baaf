using Akka.Actor;
using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// The part of user space that a run needs besides the migration: makes the calls of a plan, one after another, and
/// receives progress and the report.
/// </summary>
internal sealed class SwarmDriver(SwarmView view, SwarmDriver.Heard heard) : UntypedActor
{
    private readonly Queue<Call> _calls = new();
    private IActorRef? _vm;
    private Call? _current;
    private int _unanswered;

    /// <summary>A driver.</summary>
    /// <param name="view">The run.</param>
    /// <param name="heard">Receives the state and the report, to be read between steps.</param>
    public static Props Props(SwarmView view, Heard heard) =>
        Akka.Actor.Props.Create(() => new SwarmDriver(view, heard));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Call call:
                _vm = call.Vm;
                _calls.Enqueue(call);
                Next();
                break;
            case VmProtocol.Answer answer:
                if (answer.Errno != Errno.None)
                    view.Violate("driver", $"a call of the plan failed with {answer.Errno}");
                Answered();
                break;
            case MemslotProtocol.DirtyLog or MemslotProtocol.PreFaulted:
                Answered();
                break;
            case MigrationProgress progress:
                heard.State = progress.State;
                break;
            case MigrationReport report:
                heard.Report = report;
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Answered()
    {
        if (--_unanswered > 0)
            return;
        _current!.Done?.Invoke();
        Next();
    }

    private void Next()
    {
        if (_unanswered > 0 || !_calls.TryDequeue(out _current))
            return;
        _unanswered = _current.Commands.Count;
        foreach (var command in _current.Commands)
        {
            view.OwnCall(command);
            _vm!.Tell(command);
        }
    }

    /// <summary>Make these calls, after earlier ones and without other calls in between.</summary>
    internal sealed record Call(IActorRef Vm, IReadOnlyList<VmProtocol.ICommand> Commands, Action? Done = null);

    /// <summary>The information that the driver has received.</summary>
    internal sealed class Heard
    {
        public MigrationState State { get; set; }

        public MigrationReport? Report { get; set; }
    }
}
