using Userfault.Simulation.Cluster;

namespace Userfault.Nodes.Tests.Contract.Model;

/// <summary>The contract, held by the simulator's model of membership: where members are suspected that are there.</summary>
public sealed class SuspiciousModelContractTests : MembershipContract
{
    /// <inheritdoc/>
    protected override IContractCluster Open(SplitBrainRule rule) =>
        new ModelContractCluster(seed: 3, new SimMembershipSettings { GossipLoss = 0.1, FalseSuspicion = 0.01 }, rule);
}
