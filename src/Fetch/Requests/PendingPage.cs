namespace Userfault.Fetch;

/// <summary>A wanted page that has not arrived.</summary>
internal struct PendingPage
{
    /// <summary>The first requester.</summary>
    public int Requester;

    /// <summary>The other requesters: a chain of <see cref="RequesterChains"/>.</summary>
    public int OtherRequesters;

    /// <summary>The request that the page is part of; 0 while it is queued.</summary>
    public ulong Request;

    /// <summary>The hedge that the page is part of as well; usually 0.</summary>
    public ulong Hedge;

    /// <summary>Is it demand? If not, it is background.</summary>
    public bool IsWaitedFor;

    /// <summary>Has it been requested from a source?</summary>
    public readonly bool IsOnItsWay => Request != 0;
}
