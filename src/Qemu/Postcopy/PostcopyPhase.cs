namespace Userfault.Qemu;

/// <summary>How far a restore is.</summary>
internal enum PostcopyPhase
{
    /// <summary>The package is not out yet.</summary>
    Opening,

    /// <summary>The destination loads the devices' state; it requests pages already.</summary>
    Loading,

    /// <summary>The guest runs.</summary>
    Running,

    /// <summary>Recovery: the destination is asked what it has.</summary>
    Recovering,

    /// <summary>All is sent; the destination's last message is awaited.</summary>
    Ending,

    /// <summary>The destination has said that all went well.</summary>
    Completed,

    /// <summary>The destination has said that it did not.</summary>
    Refused,
}
