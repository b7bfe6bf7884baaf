namespace Userfault.Actors;

/// <summary>Bits of one 64-bit word of a userfault bitmap that were cleared.</summary>
/// <param name="Index">Index of the word.</param>
/// <param name="Mask">The cleared bits.</param>
public readonly record struct ClearedWord(ulong Index, ulong Mask);
