using Akka.Actor;
using Userfault.Tests;

namespace Userfault.Actors.Tests;

/// <summary>Page sources that a spec answers for.</summary>
internal static class TellingSource
{
    /// <summary>A source that tells each request as <see cref="Asked"/>, after <paramref name="before"/>.</summary>
    public static ScriptedSource Of(string name, IActorRef told, Action<Asked>? before = null) =>
        new(name)
        {
            Content = static gfn => PagerRig.ContentOf(gfn.Value),
            OnRequest = asked =>
            {
                before?.Invoke(asked);
                told.Tell(asked, ActorRefs.NoSender);
            },
        };
}
