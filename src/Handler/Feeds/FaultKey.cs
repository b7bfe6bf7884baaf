using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler;

/// <summary>
/// The touch of a page as it is kept until it is served: the page's address, and below it why the touch did not go on.
/// </summary>
/// <param name="Value">Both in one word.</param>
internal readonly record struct FaultKey(ulong Value)
{
    private const ulong RequestBit = 1;

    /// <summary>The page's address; of a request, the page's offset in the memory file.</summary>
    public ulong Address => Value & ~Page.OffsetMask;

    /// <summary>A vCPU asked for the page on the socket, and nobody sleeps in the userfaultfd.</summary>
    public bool IsRequest => (Value & RequestBit) != 0;

    /// <summary>A write to a write-protected page.</summary>
    public bool IsWriteProtect => (Value & UffdMessage.FlagWp) != 0;

    /// <summary>A touch of a page that is in the page cache.</summary>
    public bool IsMinor => (Value & UffdMessage.FlagMinor) != 0;

    /// <summary>Of a message.</summary>
    public static FaultKey Of(in UffdMessage message) =>
        new((message.Address & ~Page.OffsetMask) | (message.Flags & (UffdMessage.FlagWp | UffdMessage.FlagMinor)));

    /// <summary>Of a request.</summary>
    public static FaultKey OfRequest(ulong offset) => new(offset | RequestBit);
}
