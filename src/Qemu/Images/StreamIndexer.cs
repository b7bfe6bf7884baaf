using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Finds the index of a plain stream, or makes it by a pass over the file, header by header, and keeps it: beside the
/// file as <c>FILE.index</c>, or in the user's cache where that folder cannot be written to. Nothing depends on its
/// being kept, and nothing of a kept one is believed unchecked.
/// </summary>
/// <param name="file">The stream; not owned.</param>
/// <param name="reader">Reads it.</param>
/// <param name="head">What stands in front of its pages.</param>
/// <param name="settings">Where indexes are kept.</param>
internal sealed class StreamIndexer(MappedFile file, SavedStreamReader reader, StreamHead head, IndexSettings settings)
{
    /// <summary>The index that was kept, or one that is made now.</summary>
    /// <exception cref="StreamException">The stream is refused.</exception>
    public (PageIndex Index, SavedStream Stream, IndexState State) Open()
    {
        foreach (var path in Places())
        {
            var index = IndexFile.TryOpen(path, file, head.Pages);
            try
            {
                if (index is not null && reader.CanEndAt(head, index.End.Position))
                {
                    var stream = reader.ReadRest(head, index.End);
                    (var found, index) = (index, null);
                    return (found, stream, IndexState.Found);
                }
            }
            catch (StreamException)
            {
                // By this index the stream does not end as it should. The pass says whether it does.
            }
            finally
            {
                index?.Dispose();
            }
        }
        return Make();
    }

    /// <summary>A pass over the file.</summary>
    /// <exception cref="StreamException">The stream is refused.</exception>
    public (PageIndex Index, SavedStream Stream, IndexState State) Make()
    {
        using var offsets = NewOffsets();
        EndOfRam end;
        file.ExpectInOrder(true);
        try
        {
            end = reader.ReadRam(head, offsets);
        }
        finally
        {
            file.ExpectInOrder(false);
        }
        var stream = reader.ReadRest(head, end);
        var index = offsets.ToIndex(end);
        return (index, stream, TryKeep(index) ? IndexState.Made : IndexState.NotKept);
    }

    private PageOffsets NewOffsets()
    {
        try
        {
            return new PageOffsets(head.Pages);
        }
        catch (LinuxException)
        {
            throw new StreamException(
                StreamError.TooLarge,
                file.Path,
                $"the index of {head.Pages} pages takes {new IndexLayout(head.Pages).Bytes} bytes of address space",
                "raise the limit of this process (ulimit -v), or save with mapped-ram"
            );
        }
    }

    // A block device can be written to without leaving a trace in its stamp: its index is not kept.
    private IEnumerable<string> Places()
    {
        if (file.Stamp is not { Kind: FileKind.Regular } stamp)
            yield break;
        yield return $"{file.Path}.index";
        if (settings.CacheFolder is { } cache)
            yield return Path.Combine(cache, $"{stamp.Device:x}-{stamp.Inode:x}.index");
    }

    private bool TryKeep(PageIndex index)
    {
        var isAsItWas = file.StampNow() == file.Stamp;
        return isAsItWas
            && file.Stamp is { } stamp
            && stamp.IsSettledAt(settings.Time.GetUtcNow())
            && Places().Any(path => IndexFile.TryWrite(path, index, stamp));
    }
}
