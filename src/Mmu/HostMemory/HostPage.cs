namespace Userfault.Mmu;

/// <summary>A host page that a leaf can point at.</summary>
/// <param name="Pfn">The 4 KiB frame behind the requested address, even if it is part of a larger page.</param>
/// <param name="Level">The largest mapping that the host's own mapping of the page permits.</param>
/// <param name="IsWritable">May a writable leaf point at it? Possible for a read as well.</param>
public readonly record struct HostPage(Pfn Pfn, PageLevel Level, bool IsWritable);
