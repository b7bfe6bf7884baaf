using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// <c>struct uffd_msg</c>, 32 bytes:
/// <code>
/// 0  event u8, 7 bytes reserved
/// 8  pagefault.flags | remove.start | remap.from | fork.ufd (u32)
/// 16 pagefault.address | remove.end | remap.to
/// 24 pagefault.feat.ptid (u32) | remap.len
/// </code>
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct UffdMessage
{
    /// <summary>UFFD_PAGEFAULT_FLAG_WRITE.</summary>
    public const ulong FlagWrite = 1;

    /// <summary>UFFD_PAGEFAULT_FLAG_WP.</summary>
    public const ulong FlagWp = 2;

    /// <summary>UFFD_PAGEFAULT_FLAG_MINOR.</summary>
    public const ulong FlagMinor = 4;

    private readonly byte _event;
    private readonly byte _reserved1;
    private readonly ushort _reserved2;
    private readonly uint _reserved3;
    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;

    /// <summary>A message of these fields, as the kernel would write it.</summary>
    public UffdMessage(UffdEventKind kind, ulong first, ulong second, ulong third = 0)
    {
        (_event, _first, _second, _third) = ((byte)kind, first, second, third);
        (_reserved1, _reserved2, _reserved3) = (0, 0, 0);
    }

    /// <summary>What happened.</summary>
    public UffdEventKind Kind => (UffdEventKind)_event;

    /// <summary>PAGEFAULT: the flags.</summary>
    public ulong Flags => _first;

    /// <summary>PAGEFAULT: the address; within its page only with <see cref="UffdFeatures.ExactAddress"/>.</summary>
    public ulong Address => _second;

    /// <summary>PAGEFAULT: the thread, with <see cref="UffdFeatures.ThreadId"/>.</summary>
    public int ThreadId => (int)_third;

    /// <summary>REMOVE, UNMAP: the first byte.</summary>
    public ulong Start => _first;

    /// <summary>REMOVE, UNMAP: behind the last byte.</summary>
    public ulong End => _second;

    /// <summary>FORK: the child's userfaultfd, which the reader owns.</summary>
    public int ForkedFd => (int)(uint)_first;

    /// <summary>REMAP: from where, to where, how many bytes.</summary>
    public (ulong From, ulong To, ulong Bytes) Remap => (_first, _second, _third);
}
