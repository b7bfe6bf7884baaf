using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;

namespace Userfault.Simulation;

/// <summary>Creates the mailboxes of simulated actors; Akka creates it by its name in the configuration.</summary>
internal sealed class SimMailboxType : MailboxType, IProducesMessageQueue<SimMailbox>
{
    private readonly SimSetup _setup;

    /// <summary>Called by Akka.</summary>
    public SimMailboxType(Settings settings, Config config)
        : base(settings, config) => _setup = SimSetup.Of(settings);

    /// <inheritdoc/>
    public override IMessageQueue Create(IActorRef owner, ActorSystem system) =>
        new SimMailbox(_setup.World, _setup.Node, owner);
}
