namespace Userfault.Nodes;

/// <summary>The events that a listener of <see cref="IMembership.Follow"/> receives.</summary>
public interface IMembershipEvent;
