namespace Userfault.Pages;

/// <summary>
/// What can be wrong with something that a user handed in. A closed set: input that makes this room throw anything
/// else than a <see cref="PagingException"/> with one of these is a defect.
/// </summary>
public enum PagingError
{
    /// <summary>The file is not there.</summary>
    FileMissing,

    /// <summary>The file is there but cannot be opened, read, mapped or written.</summary>
    FileUnusable,

    /// <summary>The file ends before what it promises.</summary>
    Truncated,

    /// <summary>A size or an address is not a whole number of 4 KiB pages, or is zero, or past the limit.</summary>
    BadSize,

    /// <summary>The file is of a kind that is not read here.</summary>
    WrongFormat,

    /// <summary>The bytes contradict themselves or their checksum.</summary>
    Corrupt,

    /// <summary>A line of a trace is not of the form vcpu,instructions,page,kind.</summary>
    BadTraceLine,

    /// <summary>A page lies outside the memory it is meant for.</summary>
    OutsideMemory,

    /// <summary>The file belongs to another image.</summary>
    ForeignImage,

    /// <summary>An option has a value that makes no sense.</summary>
    BadOption,

    /// <summary>The machine does not give that much memory.</summary>
    OutOfMemory,
}
