namespace Userfault.Mmu;

/// <summary>
/// The operations that a scan needs of one vector width, so that one loop serves all widths: the type argument picks
/// the instructions, and a test can pick any width on any machine (the runtime emulates a width that the machine lacks,
/// slowly but correctly).
/// </summary>
/// <typeparam name="TVector">The vector: several 64-bit words, or a single one.</typeparam>
internal unsafe interface IWordVector<TVector>
    where TVector : unmanaged
{
    /// <summary>64-bit words in one vector.</summary>
    static abstract ulong WordCount { get; }

    /// <summary>A vector whose words are all <paramref name="word"/>.</summary>
    static abstract TVector Broadcast(ulong word);

    /// <summary>Reads <see cref="WordCount"/> words; 8-byte alignment is enough.</summary>
    static abstract TVector Load(ulong* words);

    /// <summary>Writes <see cref="WordCount"/> words.</summary>
    static abstract void Store(TVector vector, ulong* words);

    /// <summary>Bitwise or.</summary>
    static abstract TVector Or(TVector left, TVector right);

    /// <summary>Bitwise exclusive or.</summary>
    static abstract TVector Xor(TVector left, TVector right);

    /// <summary>Bits of <paramref name="left"/> that <paramref name="right"/> lacks.</summary>
    static abstract TVector AndNot(TVector left, TVector right);

    /// <summary>Are all bits clear?</summary>
    static abstract bool IsZero(TVector vector);
}
