using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Bench.Cluster;

/// <summary>
/// How long three processes take to form a cluster, from the start of the first, how long the others take to notice
/// that one was killed, and how long it takes to be in again under its address, from its new process's start: `bench -- cluster`.
/// </summary>
internal static class ClusterTimes
{
    public static int Run()
    {
        var watch = Stopwatch.StartNew();
        var node = BenchNode.Open();
        var seed = node.Membership.Self.Address.ToString();
        node.Membership.Join([]);
        var children = Enumerable.Range(0, 2).Select(_ => BenchNode.StartChild("children", "cluster-node", seed, "0")).ToList();
        using var up = new SemaphoreSlim(0);
        using var missed = new ManualResetEventSlim();
        using var gone = new ManualResetEventSlim();
        node.Membership.Follow(node.System.ActorOf(Props.Create(() => new Listener(up, missed, gone))));

        for (var i = 0; i < 3; i++) up.Wait();
        Say("three processes are a cluster", watch);
        var port = children[0].StandardOutput.ReadLine()!;
        watch.Restart();
        children[0].Kill();
        missed.Wait();
        Say("a killed node is noticed", watch);

        watch.Restart();
        children.Add(BenchNode.StartChild("children", "cluster-node", seed, port));
        up.Wait();
        Say("a node that is started again under its address is in", watch);

        gone.Reset();
        watch.Restart();
        children[1].StandardInput.Close();
        gone.Wait();
        Say("a node that leaves is out", watch);
        children[2].StandardInput.Close();
        foreach (var child in children)
        {
            child.WaitForExit();
            child.Dispose();
        }

        node.System.Terminate().GetAwaiter().GetResult();
        return 0;
    }

    /// <summary>The child: a member until its standard input ends.</summary>
    public static int Node(string seed, string port)
    {
        var node = BenchNode.Open(int.Parse(port, CultureInfo.InvariantCulture));
        Console.WriteLine(node.Membership.Self.Address.Port);
        node.Membership.Join([Address.Parse(seed)]);
        Console.In.ReadToEnd();
        node.System.Terminate().GetAwaiter().GetResult();
        return 0;
    }

    private static void Say(string what, Stopwatch since) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what} after {since.Elapsed.TotalSeconds:0.00} s"));

    private sealed class Listener(SemaphoreSlim up, ManualResetEventSlim missed, ManualResetEventSlim gone) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case MemberChanged { State: MemberState.Up }:
                    up.Release();
                    break;
                case MemberChanged { State: MemberState.Removed }:
                    gone.Set();
                    break;
                case ReachabilityChanged { IsReachable: false }:
                    missed.Set();
                    break;
                default:
                    break;
            }
        }
    }
}
