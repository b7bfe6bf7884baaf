namespace Userfault.Handler;

/// <summary>
/// Says whether a page of the monitor's memory is there, for the calls whose answer does not: UFFDIO_COPY of a huge
/// page answers EEXIST where the page is there, and also where the pool of huge pages is empty.
/// </summary>
internal interface IPagePresence : IDisposable
{
    /// <summary>What is known of the page at an address. Never faults on it.</summary>
    PagePresence Of(ulong address);

    /// <summary>A page is about to be put in place.</summary>
    void BeforeCopy(ulong address);

    /// <summary>The page was put in place by the call after <see cref="BeforeCopy"/>.</summary>
    void AfterCopy(ulong address);
}
