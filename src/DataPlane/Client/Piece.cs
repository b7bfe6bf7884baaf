namespace Userfault.DataPlane;

/// <summary>
/// One range on the wire. Its number there combines its slot and how often that slot was used before.
/// </summary>
internal struct Piece
{
    public ClientRequest? Request;
    public uint Number;
    public uint PageCount;
    public ulong NextPage;
    public ulong EndPage;

    /// <summary>When it was sent or last answered, in ms.</summary>
    public long LastFrameMs;

    public readonly ulong Remaining => EndPage - NextPage;
}
