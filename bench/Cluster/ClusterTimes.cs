using System.Diagnostics;
using Akka.Actor;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Bench.Cluster;

/// <summary>
/// How long three processes take to form a cluster, from the start of the first, and how long the others take to notice
/// that one was killed: `bench -- cluster`.
/// </summary>
internal static class ClusterTimes
{
    public static int Run()
    {
        var watch = Stopwatch.StartNew();
        using var system = BenchNode.Start();
        var cluster = Akka.Cluster.Cluster.Get(system);
        cluster.Join(cluster.SelfAddress);
        var children = Enumerable.Range(0, 2).Select(_ => BenchNode.StartChild("children", "cluster-node", cluster.SelfAddress.ToString())).ToList();
        using var formed = new CountdownEvent(3);
        using var missed = new ManualResetEventSlim();
        system.ActorOf(Props.Create(() => new Listener(formed, missed)));

        formed.Wait();
        Console.WriteLine($"three processes are a cluster after {watch.Elapsed.TotalSeconds:N2} s");
        watch.Restart();
        children[0].Kill();
        missed.Wait();
        Console.WriteLine($"a killed node is noticed after {watch.Elapsed.TotalSeconds:N2} s");

        children[1].StandardInput.Close();
        foreach (var child in children)
        {
            child.WaitForExit();
            child.Dispose();
        }
        return 0;
    }

    /// <summary>The child: a member until its standard input ends.</summary>
    public static int Node(string seed)
    {
        using var system = BenchNode.Start();
        Akka.Cluster.Cluster.Get(system).Join(Address.Parse(seed));
        Console.In.ReadToEnd();
        return 0;
    }

    private sealed class Listener(CountdownEvent formed, ManualResetEventSlim missed) : UntypedActor
    {
        protected override void PreStart()
            => Akka.Cluster.Cluster.Get(Context.System).Subscribe(Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(MemberUp), typeof(UnreachableMember));

        protected override void OnReceive(object message)
        {
            if (message is MemberUp)
                formed.Signal();
            else if (message is UnreachableMember)
                missed.Set();
        }
    }
}
