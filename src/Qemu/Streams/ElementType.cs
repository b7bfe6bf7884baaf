namespace Userfault.Qemu;

/// <summary>The byte that begins an element of a migration stream (QEMU's <c>QEMU_VM_*</c>).</summary>
internal enum ElementType : byte
{
    /// <summary>The end of the stream; in a saved file the description of the devices follows.</summary>
    Eof = 0x00,

    /// <summary>The first section of something that is sent in parts: id, name, instance, version, content.</summary>
    SectionStart = 0x01,

    /// <summary>A further part: id, content.</summary>
    SectionPart = 0x02,

    /// <summary>The last part: id, content.</summary>
    SectionEnd = 0x03,

    /// <summary>A device's whole state: as <see cref="SectionStart"/>.</summary>
    SectionFull = 0x04,

    /// <summary>Only inside a section, and behind the configuration.</summary>
    Subsection = 0x05,

    /// <summary>Length and JSON, behind <see cref="Eof"/> of a saved file.</summary>
    Description = 0x06,

    /// <summary>The machine's name; once, right behind the header.</summary>
    Configuration = 0x07,

    /// <summary>Number, length, payload.</summary>
    Command = 0x08,

    /// <summary>The section's id again: closes each of the four kinds of sections.</summary>
    Footer = 0x7e,
}
