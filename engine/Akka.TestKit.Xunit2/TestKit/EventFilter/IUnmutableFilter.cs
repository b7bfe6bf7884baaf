namespace Akka.TestKit;

/// <summary>Events that are held back until this is ended, by <see cref="Unmute"/> or by being disposed.</summary>
public interface IUnmutableFilter : IDisposable
{
    /// <summary>Lets the events through again.</summary>
    void Unmute();
}
