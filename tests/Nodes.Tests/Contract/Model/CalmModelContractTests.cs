using Userfault.Simulation.Cluster;

namespace Userfault.Nodes.Tests.Contract.Model;

/// <summary>The contract, held by the simulator's model of membership: on a calm network.</summary>
public sealed class CalmModelContractTests : MembershipContract
{
    /// <inheritdoc/>
    protected override IContractCluster Open(SplitBrainRule rule) =>
        new ModelContractCluster(seed: 1, new SimMembershipSettings(), rule);
}
