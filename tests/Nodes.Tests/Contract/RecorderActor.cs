using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// Reports every message that it receives, and answers negative numbers that were sent to it directly.
/// </summary>
public sealed class RecorderActor : UntypedActor
{
    /// <summary>Its name under /user.</summary>
    public const string Name = "recorder";

    private readonly string _node;
    private readonly Action<HeardMessage> _heard;

    /// <summary>See <see cref="Props"/>.</summary>
    public RecorderActor(string node, Action<HeardMessage> heard) => (_node, _heard) = (node, heard);

    /// <summary>A recorder; to be named <see cref="Name"/>.</summary>
    /// <param name="node">The name of its node.</param>
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
        var (number, sender) = (report.PagesSent, Sender.Path.Address);
        _heard(new HeardMessage(from, topic, number, topic is not null || sender.HasLocalScope ? null : sender));
        if (topic is null && number < 0) Sender.Tell(ContractMessage.Of(_node, null, -number), Self);
    }
}
