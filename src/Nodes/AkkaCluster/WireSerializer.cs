namespace Userfault.Nodes;

/// <summary>A serializer of a node.</summary>
/// <param name="Name">Its name under akka.actor.serializers.</param>
/// <param name="Identifier">Its identifier on the wire.</param>
/// <param name="Type">Its class.</param>
internal sealed record WireSerializer(string Name, int Identifier, Type Type)
{
    /// <summary>Does it refuse all messages?</summary>
    public bool IsRefused => Type == typeof(RefusingSerializer);
}
