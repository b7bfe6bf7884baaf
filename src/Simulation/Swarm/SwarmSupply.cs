using Akka.Actor;

namespace Userfault.Simulation;

/// <summary>The supply of a run's pages, and the plan's faults that concern it.</summary>
internal abstract class SwarmSupply
{
    /// <summary>The destination's name in the world, which prefixes its actors' paths.</summary>
    public abstract string Node { get; }

    /// <summary>The destination's actor system.</summary>
    public abstract ActorSystem System { get; }

    /// <summary>The destination's fetcher pool.</summary>
    public abstract IActorRef Pool { get; }

    /// <summary>Virtual time within which everything must complete after the last fault.</summary>
    public abstract TimeSpan Liveness { get; }

    /// <summary>Interval of the keeper after the last fault, in ns.</summary>
    public abstract long KeeperNs { get; }

    /// <summary>Are there replicas of the bitmaps on other nodes?</summary>
    public virtual bool BroadcastsClears => false;

    /// <summary>Starts to serve; runs the world until it does, if that takes time.</summary>
    public abstract void Start();

    /// <summary>Starts a fault; false if it does not concern the supply.</summary>
    public abstract bool Begin(PlannedFault fault);

    /// <summary>Ends a fault, if it concerns the supply.</summary>
    public abstract void End(PlannedFault fault);

    /// <summary>The role of an operator after the last fault: makes pages available again.</summary>
    public abstract void Keep();

    /// <summary>An actor of the destination by its path in the world.</summary>
    public IActorRef Ref(string path)
    {
        var provider = ((ExtendedActorSystem)System).Provider;
        return provider.ResolveActorRef(new RootActorPath(provider.DefaultAddress) / path.Split('/').Skip(1));
    }
}
