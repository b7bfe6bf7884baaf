using Userfault.Pages;

namespace Userfault.Tests;

/// <summary>Images as a process without them knows them.</summary>
internal static unsafe class Digested
{
    /// <summary>An image's shape and digests, made page by page and not by the source under test.</summary>
    public static RemoteImage Of(IMemoryImage image)
    {
        var manifest = new ImageManifest(image);
        var remote = new RemoteImage(manifest, image.Name);
        var page = Bytes.Buffer();
        for (ulong first = 0; first < manifest.Described; first += PageDigest.PerPage)
        {
            page.AsSpan().Clear();
            for (var i = 0; i < PageDigest.PerPage && first + (ulong)i < manifest.Described; i++)
            {
                var content = Bytes.Buffer();
                Bytes.PageOf(image, manifest.GfnAt(first + (ulong)i).Value).CopyTo(content, 0);
                PageDigest.Of(Bytes.Pointer(content)).Write(page.AsSpan(i * PageDigest.Size));
            }

            remote.Digests.Put(manifest.HeaderPages + (first / PageDigest.PerPage), page);
        }

        remote.Digests.Complete();
        return remote;
    }
}
