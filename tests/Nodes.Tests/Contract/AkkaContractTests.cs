namespace Userfault.Nodes.Tests.Contract;

/// <summary>The contract on real processes with Akka.Cluster, over TCP.</summary>
public sealed class AkkaContractTests(NodeProcesses processes) : MembershipContract, IClassFixture<NodeProcesses>
{
    /// <inheritdoc/>
    protected override IContractCluster Open(SplitBrainRule rule) => new AkkaContractCluster(processes, rule);
}
