namespace Userfault.Pages;

/// <summary>A working set on disk, in <see cref="WorkingSetFormat"/>.</summary>
public static class WorkingSetFile
{
    /// <summary>Writes the file: complete under its name, or not at all.</summary>
    /// <exception cref="PagingException">The file cannot be written.</exception>
    public static void Save(string path, WorkingSet set)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(set);
        try
        {
            WholeFile.Write(path, WorkingSetFormat.Write(set));
        }
        catch (Exception e) when (FileErrors.Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    private const string RecordingName = "the recording";

    /// <summary>Writes the file with this recording; where there is one already, merged with what it holds.</summary>
    /// <exception cref="PagingException">The file cannot be written, or is there and is no working set of this
    /// image.</exception>
    public static void Merge(string path, WorkingSet recording)
    {
        ArgumentNullException.ThrowIfNull(recording);
        Save(
            path,
            File.Exists(path) ? new WorkingSetMerge().Of([(path, Read(path)), (RecordingName, recording)]) : recording
        );
    }

    /// <summary>Reads the file and checks that it was recorded on <paramref name="image"/>.</summary>
    /// <exception cref="PagingException">The file is missing, truncated, damaged, of another kind, or another
    /// image's.</exception>
    public static WorkingSet Load(string path, IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Load(path, image.Identity, image.Pages, image.Name);
    }

    /// <summary>Reads the file and checks that it was recorded on the image named, which may lie elsewhere.</summary>
    /// <exception cref="PagingException">The file is missing, truncated, damaged, of another kind, or another
    /// image's.</exception>
    public static WorkingSet Load(string path, ImageIdentity image, ulong imagePages, string imageName)
    {
        var set = Read(path);
        set.RequireImage(path, image, imagePages, imageName);
        return set;
    }

    /// <summary>Reads the file, of whatever image it is.</summary>
    /// <exception cref="PagingException">The file is missing, truncated, damaged, or of another kind.</exception>
    public static unsafe WorkingSet Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var file = MappedFile.Open(path);
        if (file.Length > int.MaxValue)
        {
            throw new PagingException(
                PagingError.WrongFormat,
                path,
                "too big for a working set",
                WorkingSetFormat.Mend
            );
        }

        return WorkingSetFormat.Read(path, new ReadOnlySpan<byte>(file.Bytes, (int)file.Length));
    }
}
