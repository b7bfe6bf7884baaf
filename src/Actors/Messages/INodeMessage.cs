namespace Userfault.Actors;

/// <summary>
/// Sent between nodes, through a closed, versioned serializer. Only small control messages: page bytes never travel
/// this way.
/// </summary>
public interface INodeMessage;
