namespace Userfault.Mmu.Tests;

/// <summary>What an access can be seen to do.</summary>
/// <param name="Kind">The last fault.</param>
/// <param name="IsCompleted">Was the access made?</param>
/// <param name="Flags">Flags of the memory-fault exit.</param>
/// <param name="Errno">KVM_RUN's errno.</param>
/// <param name="Exit">KVM_RUN's exit reason.</param>
/// <param name="BitmapReads">Words of the userfault bitmap read.</param>
/// <param name="PageRequests">Pages asked of the host.</param>
/// <param name="Dirty">Pages in the dirty log afterwards.</param>
/// <param name="Level">Size of the leaf through which the access was made.</param>
public sealed record FaultEvents(
    FaultKind Kind,
    bool IsCompleted = false,
    MemoryFaultFlags Flags = MemoryFaultFlags.None,
    Errno Errno = Errno.None,
    uint Exit = 0,
    int BitmapReads = 0,
    int PageRequests = 0,
    int Dirty = 0,
    PageLevel Level = 0
)
{
    public static FaultEvents Mmio(int reads = 0) => new(FaultKind.Mmio, Exit: 6, BitmapReads: reads);

    public static FaultEvents Exits(MemoryFaultFlags flags, int reads = 0, int requests = 0) =>
        new(
            FaultKind.MemoryFaultExit,
            Flags: flags,
            Errno: Errno.EFAULT,
            Exit: 39,
            BitmapReads: reads,
            PageRequests: requests
        );

    public static FaultEvents Maps(PageLevel level, int reads = 0, int dirty = 0, int requests = 1) =>
        new(
            FaultKind.Mapped,
            IsCompleted: true,
            BitmapReads: reads,
            PageRequests: requests,
            Dirty: dirty,
            Level: level
        );
}
