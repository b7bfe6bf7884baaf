namespace Akka.Cluster;

/// <summary>What the memberships of two nodes say to each other.</summary>
public interface IClusterMessage
{
}
