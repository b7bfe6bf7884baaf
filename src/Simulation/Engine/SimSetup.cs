using Akka.Actor.Setup;

namespace Userfault.Simulation;

/// <summary>Gives the parts of an actor system that Akka creates by name access to their world.</summary>
/// <param name="world">The world.</param>
/// <param name="node">The system's name in the world; the systems of one cluster share their Akka name.</param>
internal sealed class SimSetup(SimWorld world, string node) : Setup
{
    public SimWorld World { get; } = world;

    public string Node { get; } = node;

    public static SimSetup Of(Akka.Actor.Settings settings)
    {
        var setup = settings.Setup.Get<SimSetup>();
        return setup.HasValue
            ? setup.Value
            : throw new InvalidOperationException("make the actor system with SimWorld.CreateSystem");
    }
}
