using Akka.Actor;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>The commands that a test actor obeys; it hands every other message to the test.</summary>
public abstract class TestActor
{
    private TestActor()
    {
    }

    /// <summary>Keeps messages from the test.</summary>
    public class SetIgnore : INoSerializationVerificationNeeded
    {
        /// <summary>Drops what <paramref name="ignore"/> accepts; null drops nothing any more.</summary>
        public SetIgnore(Func<object, bool>? ignore) => Ignore = ignore;

        /// <summary>True for a message to drop.</summary>
        public Func<object, bool>? Ignore { get; }
    }

    /// <summary>Starts a death watch.</summary>
    public class Watch : INoSerializationVerificationNeeded
    {
        /// <summary>Watches <paramref name="actorToWatch"/>.</summary>
        public Watch(IActorRef actorToWatch) => Actor = actorToWatch;

        /// <summary>The actor to watch.</summary>
        public IActorRef Actor { get; }
    }

    /// <summary>Ends a death watch.</summary>
    public class Unwatch : INoSerializationVerificationNeeded
    {
        /// <summary>Stops watching <paramref name="actorToUnwatch"/>.</summary>
        public Unwatch(IActorRef actorToUnwatch) => Actor = actorToUnwatch;

        /// <summary>The actor that is watched no more.</summary>
        public IActorRef Actor { get; }
    }

    /// <summary>Puts a pilot in charge.</summary>
    public class SetAutoPilot : INoSerializationVerificationNeeded
    {
        /// <summary>Installs <paramref name="autoPilot"/>.</summary>
        public SetAutoPilot(AutoPilot autoPilot) => AutoPilot = autoPilot;

        /// <summary>The pilot.</summary>
        public AutoPilot AutoPilot { get; }
    }

    /// <summary>Starts a child of the test actor; the test actor tells the child's reference to itself.</summary>
    public class Spawn : INoSerializationVerificationNeeded
    {
        private readonly Props _props;
        private readonly Option<string> _name;

        /// <summary>Starts an actor from <paramref name="props"/>.</summary>
        /// <param name="props">What to start.</param>
        /// <param name="name">Its name; none lets Akka choose one.</param>
        /// <param name="supervisorStrategy">What happens when it fails; none stops it.</param>
        public Spawn(Props props, Option<string> name, Option<SupervisorStrategy> supervisorStrategy)
        {
            _props = props;
            _name = name;
            SupervisorStrategy = supervisorStrategy;
        }

        /// <summary>What happens when the child fails.</summary>
        public Option<SupervisorStrategy> SupervisorStrategy { get; }

        /// <summary>Starts the child below <paramref name="context"/>.</summary>
        public IActorRef Apply(IActorRefFactory context) =>
            _name.HasValue ? context.ActorOf(_props, _name.Value) : context.ActorOf(_props);
    }
}
