using Akka.Actor;

namespace Akka.TestKit.Internal;

/// <summary>Asks a test cell for its actor, where that has not been created yet.</summary>
internal sealed class InternalGetActor : IAutoReceivedMessage, IPossiblyHarmful
{
    public static readonly InternalGetActor Instance = new();

    private InternalGetActor()
    {
    }
}
