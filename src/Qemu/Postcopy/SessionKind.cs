namespace Userfault.Qemu;

/// <summary>What a connection to a destination is for.</summary>
public enum SessionKind
{
    /// <summary>The destination has nothing yet.</summary>
    Start,

    /// <summary>The destination is paused, because an earlier connection broke.</summary>
    Recovery,
}
