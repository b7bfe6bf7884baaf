using BenchmarkDotNet.Running;
using Userfault.Bench;
using Userfault.Bench.Actors;
using Userfault.Bench.Cluster;
using Userfault.Bench.DataPlane;
using Userfault.Bench.Fetch;
using Userfault.Bench.Qemu;
using Userfault.Bench.Simulation;
using Userfault.Bench.Uffd;

// `dotnet run -c Release --project bench -- --filter '*Walk*'`: the figures that docs/performance.md quotes.
// What takes several processes is no BenchmarkDotNet benchmark and has a word of its own; the words after "children"
// are what such a benchmark starts this program with.
switch (args)
{
    case ["remoting"]:
        return RemotingRate.Run();
    case ["cluster"]:
        return ClusterTimes.Run();
    case ["faults", .. var options]:
        return FaultRate.Run(options);
    case ["simulation", .. var options]:
        return SimulationRate.Run(options);
    case ["working-sets", var trace]:
        return WorkingSets.Run(trace);
    case ["cluster-faults", .. var options]:
        return ClusterFaults.Run(options);
    case ["data-plane", .. var options]:
        return DataPlaneBench.Run(options);
    case ["uffd", .. var options]:
        return UffdBench.Run(options);
    case ["qemu", .. var options]:
        return await QemuBench.Run(options);
    case ["children", "busy"]:
        return BusyProcesses.Run();
    case ["children", "remoting-echo"]:
        return RemotingRate.Echo();
    case ["children", "cluster-node", var seed, var port]:
        return ClusterTimes.Node(seed, port);
    case ["children", "data-plane-server", var image]:
        return DataPlaneBench.Serve(image);
    case ["children", "data-plane-relay", var image, var port]:
        return RelayBench.Serve(image, port);
    case ["wanted", .. var options]:
        return WantedPages.Run(options);
    case ["relay", .. var options]:
        return RelayBench.Run(options);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, ShortRun.Config);
        return 0;
}
