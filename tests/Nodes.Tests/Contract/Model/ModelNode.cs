using Akka.Actor;
using Userfault.Simulation;
using Userfault.Simulation.Cluster;

namespace Userfault.Nodes.Tests.Contract.Model;

/// <summary>A process of a <see cref="ModelContractCluster"/>, with what its actors were told.</summary>
internal sealed class ModelNode(SimHost host, ActorSystem system)
{
    public SimHost Host => host;

    public ActorSystem System => system;

    public SimMembership Membership { get; set; } = null!;

    public List<HeardMessage> Heard { get; } = [];

    public Dictionary<string, List<IMembershipEvent>> Told { get; } = [];
}
