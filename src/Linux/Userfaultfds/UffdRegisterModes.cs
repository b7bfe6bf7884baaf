namespace Userfault.Linux;

/// <summary>UFFDIO_REGISTER_MODE_*: which faults of a range are reported.</summary>
[Flags]
public enum UffdRegisterModes : ulong
{
    /// <summary>None: no valid registration.</summary>
    None = 0,

    /// <summary>Pages that are not there.</summary>
    Missing = 1 << 0,

    /// <summary>Writes to write-protected pages.</summary>
    Wp = 1 << 1,

    /// <summary>Pages that are in the page cache and not mapped.</summary>
    Minor = 1 << 2,
}
