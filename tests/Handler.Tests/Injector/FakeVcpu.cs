using Userfault.Linux;

namespace Userfault.Handler.Tests;

/// <summary>A thread of the guest: touches a page until the touch goes through.</summary>
internal sealed class FakeVcpu
{
    /// <summary>Does it have a touch to do?</summary>
    public bool IsTouching { get; set; }

    /// <summary>Does it sleep in the userfaultfd?</summary>
    public bool Sleeps { get; set; }

    /// <summary>Does it touch the guest_memfd as a vCPU does, which leaves the guest where the bit is set?</summary>
    public bool IsGuest { get; set; }

    /// <summary>It has asked on the socket, and has no answer.</summary>
    public bool HasAsked { get; set; }

    /// <summary>Its message has not been read.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Its message.</summary>
    public UffdMessage Message { get; set; }

    public ulong Page { get; set; }

    public bool Writes { get; set; }
}
