namespace Akka.Cluster;

/// <summary>
/// Where a member is in its life: Joining (or WeaklyUp) to Up to Leaving to Exiting to Removed, and from each of them
/// to Down to Removed.
/// </summary>
public enum MemberStatus
{
    Joining = 0,
    Up = 1,
    Leaving = 2,
    Exiting = 3,
    Down = 4,
    Removed = 5,
    WeaklyUp = 6,
}
