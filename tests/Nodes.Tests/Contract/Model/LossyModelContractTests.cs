using Userfault.Simulation.Cluster;

namespace Userfault.Nodes.Tests.Contract.Model;

/// <summary>The contract, held by the simulator's model of membership: where exchanges of views get lost.</summary>
public sealed class LossyModelContractTests : MembershipContract
{
    /// <inheritdoc/>
    protected override IContractCluster Open(SplitBrainRule rule) =>
        new ModelContractCluster(seed: 2, new SimMembershipSettings { GossipLoss = 0.4 }, rule);
}
