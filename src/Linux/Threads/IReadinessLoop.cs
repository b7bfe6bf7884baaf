namespace Userfault.Linux;

/// <summary>
/// A thread that reads descriptors between its other work, so that what arrives is processed where it is read and no
/// second thread needs to be woken.
/// </summary>
public interface IReadinessLoop
{
    /// <summary>Is the calling thread that of the loop?</summary>
    bool IsCurrent { get; }

    /// <summary>
    /// Reads the descriptor from now on. From any thread. Returns false where descriptors cannot be waited for, and
    /// after the loop's end.
    /// </summary>
    bool TryAdd(IReadable readable);

    /// <summary>Reads the descriptor no more; it may be closed afterwards. On the loop's thread alone.</summary>
    void Remove(IReadable readable);
}
