using Akka.Actor;

namespace Userfault.Simulation;

/// <summary>Where a run's pages come from, and what of a plan's faults happens there.</summary>
internal abstract class SwarmSupply
{
    /// <summary>The destination's name in the world, in front of its actors' paths.</summary>
    public abstract string Node { get; }

    /// <summary>The destination's actor system.</summary>
    public abstract ActorSystem System { get; }

    /// <summary>The destination's fetcher pool.</summary>
    public abstract IActorRef Pool { get; }

    /// <summary>Virtual time within which everything comes to its end when nothing goes wrong any more.</summary>
    public abstract TimeSpan Liveness { get; }

    /// <summary>How often the keeper looks, behind the last fault.</summary>
    public abstract long KeeperNs { get; }

    /// <summary>Are there replicas of the bitmaps on other nodes?</summary>
    public virtual bool BroadcastsClears => false;

    /// <summary>Begins to serve; runs the world until it does where that takes time.</summary>
    public abstract void Start();

    /// <summary>A fault begins; false where it is none of the supply's.</summary>
    public abstract bool Begin(PlannedFault fault);

    /// <summary>A fault that was the supply's ends.</summary>
    public abstract void End(PlannedFault fault);

    /// <summary>What an operator does when all is well again: sees to it that pages can be had.</summary>
    public abstract void Keep();

    /// <summary>An actor of the destination by its path in the world.</summary>
    public IActorRef Ref(string path)
    {
        var provider = ((ExtendedActorSystem)System).Provider;
        return provider.ResolveActorRef(new RootActorPath(provider.DefaultAddress) / path.Split('/').Skip(1));
    }
}
