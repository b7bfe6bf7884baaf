using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// The page shared by a vCPU's thread and its guest: the number of accesses, then 32 bytes each (address, value,
/// whether it writes, unused). The value of a write is the one to write; after the access the value is what was in
/// memory before, for reads and writes alike. Either the thread or the guest uses it, never both.
/// </summary>
internal readonly unsafe struct GuestBatch
{
    /// <summary>Maximum number of accesses.</summary>
    public const int Capacity = (Page.Size / EntryBytes) - 1;

    internal const sbyte EntryBytes = 32;
    internal const sbyte AddressOffset = 0;
    internal const sbyte ValueOffset = 8;
    internal const sbyte IsWriteOffset = 16;

    private readonly ulong* _words;

    /// <summary>The batch in a page.</summary>
    public GuestBatch(byte* page) => _words = (ulong*)page;

    /// <summary>Number of accesses.</summary>
    public int Count => (int)_words[0];

    /// <summary>Removes all accesses.</summary>
    public void Clear() => _words[0] = 0;

    /// <summary>Appends an access of 8 bytes.</summary>
    /// <param name="address">Guest physical address, which is also the guest's virtual one; a multiple of 8.</param>
    /// <param name="isWrite">Write, or read?</param>
    /// <param name="value">The value to write.</param>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
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

    /// <summary>Before the access: the value to write. After the report: the value found.</summary>
    public ref ulong Value(int index) => ref Entry(index)[ValueOffset / 8];

    private ulong* Entry(int index) => _words + ((index + 1) * (EntryBytes / 8));
}
