using Userfault.DataPlane;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Gets a guest's description from one source, whole: two sources of the same memory may have saved their devices at
/// different times, and parts of both would fit no guest.
/// </summary>
public static class DescriptionDownload
{
    /// <summary>Connects, gets it, and lets go. Blocks.</summary>
    /// <param name="server">The source; which image is asked for is decided here.</param>
    /// <param name="image">The image whose description is wanted.</param>
    /// <exception cref="PagingException">What it sent is no description of this image, or did not come.</exception>
    /// <exception cref="PageConnectionException">It is unreachable, or has none.</exception>
    public static GuestDescription From(PageClientOptions server, ImageIdentity image)
    {
        ArgumentNullException.ThrowIfNull(server);
        using var client = PageClient.Connect(server with { Image = GuestDescription.IdentityOf(image) });
        if (client.Pages is 0 or > DescriptionFormat.MaxBytes >> Page.Shift)
            throw Wrong(client, $"a guest's description of {client.Pages} pages");
        var first = Ask(client, 1, new MemoryPageRange(new MemoryPage(0), 1));
        var bytes = new byte[client.Pages << Page.Shift];
        // Before any more is taken.
        _ = DescriptionFormat.BytesIn(first, client.Pages, client.Name);
        first.CopyTo(bytes, 0);
        for (ulong at = 1; at < client.Pages; )
        {
            var range = new MemoryPageRange(
                new MemoryPage(at),
                Math.Min(IPageSource.MostPagesPerRequest, client.Pages - at)
            );
            Ask(client, at + 1, range).CopyTo(bytes, (int)(at << Page.Shift));
            at += range.Count;
        }

        return DescriptionFormat.Read(bytes, image, client.Name);
    }

    private static byte[] Ask(PageClient client, ulong id, MemoryPageRange range)
    {
        var answer = new CollectedPages(range);
        client.Request(new PageRequest(id, FetchPriority.Demand, SentNs: 0), [range], answer);
        // A source that is silent is disconnected by the client, which ends the request.
        var failure = answer.Ended.GetAwaiter().GetResult();
        if (failure is { } why)
            throw Wrong(client, $"a guest's description did not come: {why}");
        return answer.Bytes;
    }

    private static PagingException Wrong(PageClient client, string problem) =>
        new(PagingError.Corrupt, client.Name, problem, "leave this source out, or start it anew");
}
