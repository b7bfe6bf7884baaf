namespace Userfault.Mmu;

/// <summary>A cached translation, relative to the frame that was looked up.</summary>
/// <param name="Pfn">The host frame behind the guest frame looked up, not the leaf's first one.</param>
/// <param name="Access">The permissions of the cached leaf.</param>
/// <param name="Level">Size of the cached leaf.</param>
/// <param name="Dirty">The leaf's dirty bit when it was cached.</param>
public readonly record struct TlbEntry(Pfn Pfn, Access Access, PageLevel Level, bool Dirty);
