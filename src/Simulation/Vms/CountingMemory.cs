using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Guest memory that counts the pages in place. The migration's own count is older, because memslots report with a
/// delay.
/// </summary>
internal sealed class CountingMemory(IGuestMemory memory) : IGuestMemory
{
    /// <summary>Bits cleared: pages that a vCPU may use.</summary>
    public ulong Published { get; private set; }

    public ulong Pages => memory.Pages;

    public Hva Base => memory.Base;

    public ulong CapacityBytes => memory.CapacityBytes;

    public bool HoldsTags => memory.HoldsTags;

    public bool AccountsAtOnce => memory.AccountsAtOnce;

    public void Expect(MemoryPageRange range) => memory.Expect(range);

    public void Place(in PageContent content) => memory.Place(content);

    public bool Publish(UserfaultBitmap bitmap, ulong index)
    {
        if (!memory.Publish(bitmap, index))
            return false;
        Published++;
        return true;
    }

    public void Write(MemoryPage page, GuestStamp stamp, StampLedger ledger) => memory.Write(page, stamp, ledger);

    public ulong Read(MemoryPage page, int vcpu) => memory.Read(page, vcpu);

    public bool Matches(MemoryPage page, in PageContent expected, ulong delta) => memory.Matches(page, expected, delta);

    public bool Matches(MemoryPage page, in PageDigest expected, ulong delta) => memory.Matches(page, expected, delta);

    public ulong FingerprintOf(MemoryPage page) => memory.FingerprintOf(page);

    public void Dispose() => memory.Dispose();
}
