namespace Userfault.Pages;

/// <summary>Where an image's bytes come from.</summary>
public enum ImageKind
{
    /// <summary>A raw file: byte n of the file is guest physical byte n.</summary>
    Raw,

    /// <summary>A 64-bit ELF core as QEMU's dump-guest-memory writes it.</summary>
    ElfCore,

    /// <summary>A Firecracker memory file: raw, its regions one after another, holes left out.</summary>
    Firecracker,

    /// <summary>The RAM blocks of a saved QEMU migration stream, end to end.</summary>
    QemuStream,

    /// <summary>Made from a seed, page by page.</summary>
    Synthetic,

    /// <summary>On other nodes: this process knows its shape and its digests alone.</summary>
    Remote,
}
