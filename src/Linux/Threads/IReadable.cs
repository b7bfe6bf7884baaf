namespace Userfault.Linux;

/// <summary>A descriptor that an <see cref="IReadinessLoop"/> reads. Called on the loop's thread alone.</summary>
public interface IReadable
{
    /// <summary>The descriptor, open from its addition to its removal.</summary>
    int Fd { get; }

    /// <summary>
    /// The loop has done all its other work and looks for more: what that work left to be sent is sent now.
    /// </summary>
    void OnIdle();

    /// <summary>Reads once, without blocking. Returns false if there was nothing to read.</summary>
    bool TryRead();

    /// <summary>The loop has ended: nothing will be read any more.</summary>
    void OnLoopEnded();
}
