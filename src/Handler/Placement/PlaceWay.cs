namespace Userfault.Handler;

/// <summary>How pages go in place.</summary>
internal enum PlaceWay
{
    /// <summary>By a call on the userfaultfd, which wakes whoever sleeps on them.</summary>
    Userfaultfd,

    /// <summary>By writing the guest_memfd, where there is one.</summary>
    File,
}
