namespace Userfault.Handler;

/// <summary>How putting pages in place ended.</summary>
internal enum PlaceResult
{
    /// <summary>All are in place, or nobody can touch them any more.</summary>
    Done,

    /// <summary>The address space is changing: read the events, then try again.</summary>
    Again,

    /// <summary>The monitor's memory is gone.</summary>
    Gone,

    /// <summary>It cannot be done; <see cref="Placement.Error"/> says why.</summary>
    Failed,
}
