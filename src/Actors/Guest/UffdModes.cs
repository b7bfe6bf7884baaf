namespace Userfault.Actors;

/// <summary>The faults for which a range is registered with userfaultfd (UFFDIO_REGISTER_MODE_*).</summary>
[Flags]
public enum UffdModes
{
    /// <summary>Not registered: a missing page is filled with zeros.</summary>
    None = 0,

    /// <summary>The page does not exist: resolved with COPY or ZEROPAGE.</summary>
    Missing = 1,

    /// <summary>The page is in the page cache and not mapped: resolved with CONTINUE.</summary>
    Minor = 4,
}
