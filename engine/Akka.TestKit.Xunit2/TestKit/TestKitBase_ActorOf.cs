using System.Linq.Expressions;
using Akka.Actor;
using Akka.Actor.Dsl;

namespace Akka.TestKit;

/// <content>Starting actors and finding them.</content>
public abstract partial class TestKitBase
{
    /// <summary>Starts a top-level actor of <see cref="Sys"/>.</summary>
    public IActorRef ActorOf(Props props) => Sys.ActorOf(props, null);

    /// <summary>Starts a top-level actor of <see cref="Sys"/>; Akka chooses the name where it is null.</summary>
    public IActorRef ActorOf(Props props, string? name) => Sys.ActorOf(props, name);

    /// <summary>Starts a top-level actor of <see cref="Sys"/>.</summary>
    public IActorRef ActorOf<TActor>()
        where TActor : ActorBase, new() => Sys.ActorOf(Props.Create<TActor>(), null);

    /// <summary>Starts a top-level actor of <see cref="Sys"/>.</summary>
    public IActorRef ActorOf<TActor>(string name)
        where TActor : ActorBase, new() => Sys.ActorOf(Props.Create<TActor>(), name);

    /// <summary>Starts a top-level actor of <see cref="Sys"/> from its constructor call.</summary>
    public IActorRef ActorOf<TActor>(Expression<Func<TActor>> factory)
        where TActor : ActorBase => Sys.ActorOf(Props.Create(factory), null);

    /// <summary>Starts a top-level actor of <see cref="Sys"/> from its constructor call.</summary>
    public IActorRef ActorOf<TActor>(Expression<Func<TActor>> factory, string name)
        where TActor : ActorBase => Sys.ActorOf(Props.Create(factory), name);

    /// <summary>Starts a top-level actor of <see cref="Sys"/> from a description of what it does.</summary>
    public IActorRef ActorOf(Action<IActorDsl, IActorContext> configure, string? name = null) =>
        ActExtensions.ActorOf(this, configure, name);

    /// <summary>Starts a top-level actor of <see cref="Sys"/> from a description of what it does.</summary>
    public IActorRef ActorOf(Action<IActorDsl> configure, string? name = null) =>
        ActExtensions.ActorOf(this, configure, name);

    /// <summary>Selects actors of <see cref="Sys"/>.</summary>
    public ActorSelection ActorSelection(ActorPath actorPath) => Sys.ActorSelection(actorPath);

    /// <summary>Selects actors of <see cref="Sys"/>.</summary>
    public ActorSelection ActorSelection(string actorPath) => Sys.ActorSelection(actorPath);
}
