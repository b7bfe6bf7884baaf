using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Samples;

#region sink
/// <summary>Receives what a page source answers, and resolves the faults on those pages.</summary>
internal sealed class PlacingSink(ByteGuestMemory memory, UserfaultBitmap missing) : IPageSink
{
    /// <summary>Pages put in place.</summary>
    public ulong Placed { get; private set; }

    public void OnPages(PageBatch batch)
    {
        foreach (ref readonly var page in batch.Pages)
        {
            // A clear bit means that the guest may have written the page: content must not overwrite it any more.
            if (!missing.IsSet(page.Page.Value))
                continue;
            memory.Place(page); // the content first,
            missing.Clear(page.Page.Value); // then the bit, with release order: vCPUs see the content first
            Placed++;
        }

        batch.Release();
    }

    public void OnFailed(ulong requestId, FetchFailure failure) =>
        throw new InvalidOperationException($"request {requestId} failed: {failure}");
}
#endregion
