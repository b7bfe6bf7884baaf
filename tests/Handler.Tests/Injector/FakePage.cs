namespace Userfault.Handler.Tests;

/// <summary>A page of the guest, and what it must hold.</summary>
internal struct FakePage
{
    public bool IsMapped;
    public bool IsRegistered;

    /// <summary>Which mapping it belongs to: no call reaches from one into the next.</summary>
    public int Mapping;

    /// <summary>In the page tables.</summary>
    public bool IsPresent;

    /// <summary>In the page cache, of shared memory.</summary>
    public bool IsCached;

    public bool IsProtected;

    /// <summary>Nothing is there but a marker of write protection.</summary>
    public bool HasMarker;

    /// <summary>The first and the last word of what it holds.</summary>
    public ulong First;
    public ulong Last;

    /// <summary>The same of what it must hold.</summary>
    public ulong MustFirst;
    public ulong MustLast;

    /// <summary>It is being given back: it may hold zeros already, or not yet.</summary>
    public bool IsLeaving;

    /// <summary>The monitor let it go and took it back: zeros are as right as content until it is read.</summary>
    public bool MayBeZero;

    /// <summary>Has anybody seen or changed it since the image?</summary>
    public bool IsTouched;
}
