namespace Userfault.Mmu;

/// <summary>
/// One word at a time: for machines without vectors, and the reference that the wider ones are tested against.
/// </summary>
internal readonly unsafe struct Words64 : IWordVector<ulong>
{
    public static ulong WordCount => 1;

    public static ulong Broadcast(ulong word) => word;

    public static ulong Load(ulong* words) => *words;

    public static void Store(ulong vector, ulong* words) => *words = vector;

    public static ulong Or(ulong left, ulong right) => left | right;

    public static ulong Xor(ulong left, ulong right) => left ^ right;

    public static ulong AndNot(ulong left, ulong right) => left & ~right;

    public static bool IsZero(ulong vector) => vector == 0;
}
