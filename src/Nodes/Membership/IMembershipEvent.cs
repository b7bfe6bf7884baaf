namespace Userfault.Nodes;

/// <summary>What a listener of <see cref="IMembership.Follow"/> is told; nothing else.</summary>
public interface IMembershipEvent;
