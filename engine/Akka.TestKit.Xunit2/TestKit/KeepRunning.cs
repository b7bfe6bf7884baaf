using Akka.Actor;

namespace Akka.TestKit;

/// <summary>The answer of a pilot that stays in charge; never a pilot itself.</summary>
public sealed class KeepRunning : AutoPilot
{
    /// <summary>The only one there is.</summary>
    public static readonly KeepRunning Instance = new();

    private KeepRunning()
    {
    }

    /// <inheritdoc/>
    public override AutoPilot Run(IActorRef sender, object message) =>
        throw new InvalidOperationException("KeepRunning is what a pilot returns; it cannot be installed as one.");
}
