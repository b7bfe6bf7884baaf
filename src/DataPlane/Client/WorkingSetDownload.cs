using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Gets the working set of an image from one source, whole: pieces of two states of it would make neither.
/// </summary>
public static class WorkingSetDownload
{
    /// <summary>Connects, gets it, and lets go. Blocks.</summary>
    /// <param name="server">The source; which image is asked for is decided here.</param>
    /// <param name="image">The image whose working set is wanted.</param>
    /// <param name="imagePages">Its pages.</param>
    /// <exception cref="PagingException">What it sent is no working set of this image, or did not come.</exception>
    /// <exception cref="PageConnectionException">It is unreachable, or has none.</exception>
    public static WorkingSet From(PageClientOptions server, ImageIdentity image, ulong imagePages)
    {
        ArgumentNullException.ThrowIfNull(server);
        using var client = PageClient.Connect(server with { Image = WorkingSetImage.IdentityOf(image) });
        if (client.Pages is 0 or > WorkingSetFormat.MaxBytes >> Page.Shift)
            throw Wrong(client, $"a working set of {client.Pages} pages");
        var first = Ask(client, 0, 1);
        var length = WorkingSetFormat.BytesIn(client.Name, first);
        // Before any more is taken.
        if (length > client.Pages << Page.Shift || (length + Page.Size - 1) >> Page.Shift != client.Pages)
            throw Wrong(client, $"a working set of {length} bytes in {client.Pages} pages");
        var bytes = new byte[client.Pages << Page.Shift];
        first.CopyTo(bytes, 0);
        for (ulong at = 1; at < client.Pages; at += IPageSource.MostPagesPerRequest)
        {
            var count = Math.Min(IPageSource.MostPagesPerRequest, client.Pages - at);
            Ask(client, at, count).CopyTo(bytes, (int)(at << Page.Shift));
        }

        var set = WorkingSetFormat.Read(client.Name, bytes.AsSpan(0, (int)length));
        set.RequireImage(client.Name, image, imagePages, "the image that is served");
        return set;
    }

    private static byte[] Ask(PageClient client, ulong first, ulong count)
    {
        var range = new MemoryPageRange(new MemoryPage(first), count);
        var answer = new CollectedPages(range);
        client.Request(new PageRequest(first + 1, FetchPriority.Background, SentNs: 0), [range], answer);
        // A source that is silent is disconnected by the client, which ends the request.
        if (answer.Ended.GetAwaiter().GetResult() is { } why)
            throw Wrong(client, $"a working set did not come: {why}");
        return answer.Bytes;
    }

    private static PagingException Wrong(PageClient client, string problem) =>
        new(PagingError.Corrupt, client.Name, problem, "leave this source out, or start it anew");
}
