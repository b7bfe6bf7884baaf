namespace Userfault.Actors;

/// <summary>Crosses nodes, through a closed, versioned serializer. Small control alone: page bytes never travel so.</summary>
public interface INodeMessage;
