using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Where a handler's pages come from, for all its VMs: one mapped image, or page sources. With what is recorded and
/// replayed.
/// </summary>
public sealed class PageSupply : IDisposable
{
    private readonly IMemoryImage? _image;
    private readonly SourceSet? _sources;
    private readonly ImageIndex? _index;
    private readonly IMemoryImage? _watched;
    private readonly ImageWatch? _watch;
    private Action<string>? _lost;
    private string? _loss;
    private readonly bool _isOwner = true;
    private readonly Lock _lock = new();

    /// <summary>An image in this process; not owned.</summary>
    public PageSupply(IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        (_image, Identity, PageCount, Name) = (image, image.Identity, image.Pages, image.Name);
        _index = new ImageIndex(image);
        _watched = image;
        _watch = Watch(image);
    }

    /// <summary>Page sources of an image; not owned.</summary>
    public PageSupply(SourceSet sources, ImageIdentity identity, ulong pages, string name) =>
        (_sources, Identity, PageCount, Name) = (sources, identity, pages, name);

    /// <summary>Page sources that read an image in this process; not owned, none of it.</summary>
    public PageSupply(SourceSet sources, IMemoryImage image)
        : this(sources, (image ?? throw new ArgumentNullException(nameof(image))).Identity, image.Pages, image.Name)
    {
        _watched = image;
        _watch = Watch(image);
    }

    private PageSupply(PageSupply other)
    {
        (_image, _sources, _index, _isOwner) = (other._image, other._sources, other._index, false);
        (Identity, PageCount, Name, Replay) = (other.Identity, other.PageCount, other.Name, other.Replay);
    }

    /// <summary>Which image.</summary>
    public ImageIdentity Identity { get; }

    /// <summary>Its size in pages.</summary>
    public ulong PageCount { get; }

    /// <summary>A name for messages.</summary>
    public string Name { get; }

    /// <summary>A working set to push first; null for none.</summary>
    public WorkingSet? Replay { get; init; }

    /// <summary>Where to write the pages that were waited for, when a VM ends; null for nowhere.</summary>
    public string? RecordTo { get; init; }

    /// <summary>Are they merged with the working set that is there already, and not put in its place?</summary>
    public bool MergesRecord { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isOwner)
            return;
        _watch?.Dispose();
        _index?.Dispose();
    }

    /// <summary>
    /// Why no other VM can be served: the image's path leads elsewhere, or its content has changed. Null where it is as
    /// it was.
    /// </summary>
    internal string? WhyNot()
    {
        if (Volatile.Read(ref _loss) is { } loss)
            return loss;
        return _watched?.Change() is { } change
            ? $"image {Name} has changed: {change.What}; start a handler for the new one"
            : null;
    }

    /// <summary>
    /// Tells when pages that are not served yet are lost, with the reason; at once where they are already. Until
    /// <see cref="Unfollow"/>, on any thread.
    /// </summary>
    internal void Follow(Action<string> lost)
    {
        lock (_lock)
        {
            if (_loss is null)
            {
                _lost += lost;
                return;
            }
        }

        lost(_loss);
    }

    /// <summary>Tells no more.</summary>
    internal void Unfollow(Action<string> lost)
    {
        lock (_lock)
            _lost -= lost;
    }

    private ImageWatch Watch(IMemoryImage image) =>
        new(image, change => Lose($"image {Name} has changed: {change.What}"));

    private void Lose(string why)
    {
        Action<string>? lost;
        lock (_lock)
        {
            Volatile.Write(ref _loss, why);
            lost = _lost;
        }

        lost?.Invoke(why);
    }

    /// <summary>The same pages, for a VM that leaves no record; to be disposed of first.</summary>
    internal PageSupply Unrecorded() => new(this);

    internal VmPager Open(
        VmDescriptors vm,
        PagerSettings settings,
        WorkingSetRecorder? recorder,
        ReadOnlySpan<byte> rest
    ) =>
        _image is not null
            ? new VmPager(vm, settings, _image, Replay, recorder, rest, _index)
            : new VmPager(vm, settings, _sources!, Replay, recorder, rest);

    /// <summary>Why a record could not be written; null where all could. No reason to stop serving anybody.</summary>
    public string? RecordProblem { get; private set; }

    // With several VMs the last one to end is what stays, or each is merged. Answers what was wrong.
    internal string? SaveRecord(WorkingSetRecorder recorder)
    {
        lock (_lock)
        {
            try
            {
                var recording = recorder.ToWorkingSet(Identity, PageCount);
                if (MergesRecord)
                    WorkingSetFile.Merge(RecordTo!, recording);
                else
                    WorkingSetFile.Save(RecordTo!, recording);
                return null;
            }
            catch (Exception e)
            {
                // Whatever it was: the VM's thread goes on, and so do the guests.
                return RecordProblem = e.Message;
            }
        }
    }
}
