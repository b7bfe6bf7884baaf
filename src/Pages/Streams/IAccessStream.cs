namespace Userfault.Pages;

/// <summary>What one vCPU accesses, in order. Owned by that vCPU; not shared.</summary>
public interface IAccessStream
{
    /// <summary>How many accesses there are in all.</summary>
    ulong Count { get; }

    /// <summary>The next access; false at the end, and from then on.</summary>
    bool TryNext(out GuestAccess access);
}
