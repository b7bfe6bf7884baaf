using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// The page through which a vCPU's thread and its guest talk: how many accesses, then 32 bytes each (address, value,
/// whether it writes, nothing). A write's value is what to write; behind the access the value is what was there before,
/// of reads and writes alike. Either the thread or the guest has it, never both.
/// </summary>
internal readonly unsafe struct GuestBatch
{
    /// <summary>Accesses that fit.</summary>
    public const int Capacity = (Page.Size / EntryBytes) - 1;

    internal const sbyte EntryBytes = 32;
    internal const sbyte AddressOffset = 0;
    internal const sbyte ValueOffset = 8;
    internal const sbyte IsWriteOffset = 16;

    private readonly ulong* _words;

    /// <summary>The batch that lies in a page.</summary>
    public GuestBatch(byte* page) => _words = (ulong*)page;

    /// <summary>How many accesses it holds.</summary>
    public int Count => (int)_words[0];

    /// <summary>Forgets all accesses.</summary>
    public void Clear() => _words[0] = 0;

    /// <summary>Appends an access of 8 bytes.</summary>
    /// <param name="address">Guest-physical address, which is the guest's virtual one too; a multiple of 8.</param>
    /// <param name="isWrite">Write, or read?</param>
    /// <param name="value">What to write.</param>
    /// <exception cref="InvalidOperationException">It is full.</exception>
    public void Add(ulong address, bool isWrite, ulong value = 0)
    {
        if (Count == Capacity)
            throw new InvalidOperationException("the batch is full");
        var entry = Entry((int)_words[0]++);
        entry[AddressOffset / 8] = address;
        entry[ValueOffset / 8] = value;
        entry[IsWriteOffset / 8] = isWrite ? 1UL : 0;
    }

    /// <summary>The address of an access.</summary>
    public ulong AddressOf(int index) => Entry(index)[AddressOffset / 8];

    /// <summary>Does an access write?</summary>
    public bool IsWrite(int index) => Entry(index)[IsWriteOffset / 8] != 0;

    /// <summary>Before the access: what to write. Behind the report: what was found.</summary>
    public ref ulong Value(int index) => ref Entry(index)[ValueOffset / 8];

    private ulong* Entry(int index) => _words + ((index + 1) * (EntryBytes / 8));
}
