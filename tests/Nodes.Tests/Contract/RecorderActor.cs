using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>Passes on whatever it hears, and answers questions: each number below zero that it is told.</summary>
public sealed class RecorderActor : UntypedActor
{
    /// <summary>Its name under /user.</summary>
    public const string Name = "recorder";

    private readonly string _node;
    private readonly Action<HeardMessage> _heard;

    /// <summary>See <see cref="Props"/>.</summary>
    public RecorderActor(string node, Action<HeardMessage> heard) => (_node, _heard) = (node, heard);

    /// <summary>A recorder; to be named <see cref="Name"/>.</summary>
    /// <param name="node">Name of its node.</param>
    /// <param name="heard">Called on the actor's thread.</param>
    public static Props Props(string node, Action<HeardMessage> heard) =>
        Akka.Actor.Props.Create(() => new RecorderActor(node, heard));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        if (message is not NodeReport report)
        {
            Unhandled(message);
            return;
        }

        var (from, topic) = ContractMessage.Read(report);
        var sender = Sender.Path.Address;
        _heard(new HeardMessage(from, topic, report.PagesSent, topic is not null || sender.HasLocalScope ? null : sender));
        if (topic is null && report.PagesSent < 0) Sender.Tell(ContractMessage.Of(_node, null, -report.PagesSent), Self);
    }
}
