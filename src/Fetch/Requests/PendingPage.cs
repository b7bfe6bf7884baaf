namespace Userfault.Fetch;

/// <summary>A wanted page that has not arrived.</summary>
internal struct PendingPage
{
    /// <summary>Who wanted it first.</summary>
    public int Requester;

    /// <summary>Who else wants it: a chain of <see cref="RequesterChains"/>.</summary>
    public int OtherRequesters;

    /// <summary>The request that asks for it; 0 while it is queued.</summary>
    public ulong Request;

    /// <summary>The request that asks for it as well; mostly 0.</summary>
    public ulong Hedge;

    /// <summary>Is it demand? False: background.</summary>
    public bool IsWaitedFor;

    /// <summary>Has a source been asked for it?</summary>
    public readonly bool IsOnItsWay => Request != 0;
}
