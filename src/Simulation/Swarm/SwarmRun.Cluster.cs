using Userfault.Simulation.Cluster;

namespace Userfault.Simulation;

/// <content>Plans of several nodes; left out of the build with the simulated cluster.</content>
public static partial class SwarmRun
{
    static partial void SetCluster(ref Func<SimWorld, SwarmView, SwarmSupply>? make) =>
        make = static (world, view) => new SwarmCluster(world, view);
}
