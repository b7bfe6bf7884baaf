namespace Userfault.Actors;

/// <summary>Crosses nodes, through <see cref="NodeMessageSerializer"/>. Small control alone: page bytes never travel so.</summary>
public interface INodeMessage;
