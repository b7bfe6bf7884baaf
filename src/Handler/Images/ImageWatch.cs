using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Looks at the file of an image that is served, when the kernel says that it was written to and now and then (what is
/// written through a mapping is not said), and tells once when its content has changed: pages that a guest does not
/// have yet are lost then. A thread of its own, which is not started for images without a file.
/// </summary>
internal sealed class ImageWatch : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private readonly IMemoryImage _image;
    private readonly Action<ImageChange> _changed;
    private readonly FileWatch? _watch;
    private readonly Thread? _thread;

    /// <summary>Begins to look.</summary>
    /// <param name="image">The image; not owned.</param>
    /// <param name="changed">Told of the change, on the watch's thread.</param>
    public ImageWatch(IMemoryImage image, Action<ImageChange> changed)
    {
        (_image, _changed) = (image, changed);
        if (image.OpenPath is not { } path)
            return;
        _watch = new FileWatch(path);
        _thread = new Thread(Look) { IsBackground = true, Name = "image watch" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch?.Stop();
        _thread?.Join();
        _watch?.Dispose();
    }

    private void Look()
    {
        while (_watch!.Wait(Longest))
        {
            if (_image.Change() is not { IsContent: true } change)
                continue;
            _changed(change);
            return;
        }
    }
}
