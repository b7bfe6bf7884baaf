using Userfault.DataPlane;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// The working set that a source has of its image, out of a file that is looked at all the while: a later state of it
/// is offered as soon as it is there. A file that cannot be used leaves the state before, with one line.
/// </summary>
internal sealed class WorkingSetOffer : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly IMemoryImage _image;
    private readonly Action<string> _log;
    private readonly Lock _lock = new();
    private readonly List<ImageIdentity> _identities = [];
    private FileStamp? _stamp;
    private WorkingSet _set;
    private PageServer? _server;
    private ITimer? _look;

    /// <summary>The set of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="image">The image that it must be of; not owned.</param>
    /// <param name="log">Takes lines about later states.</param>
    /// <exception cref="PagingException">It is no working set of this image.</exception>
    public WorkingSetOffer(string path, IMemoryImage image, Action<string> log)
    {
        (_path, _image, _log) = (path, image, log);
        _stamp = FileStamp.TryOf(path);
        _set = WorkingSetFile.Load(path, image);
        _ = new WorkingSetImage(_set, image.Identity, path);
    }

    /// <summary>Offers it by one more of the image's identities, at a server that is there already.</summary>
    public void Add(PageServer server, ImageIdentity image)
    {
        lock (_lock)
        {
            _server = server;
            _identities.Add(image);
            server.Replace(OfferOf(_set, image));
            _look ??= TimeProvider.System.CreateTimer(_ => Look(), null, LookEvery, LookEvery);
        }
    }

    public void Dispose() => _look?.Dispose();

    private PageOffer OfferOf(WorkingSet set, ImageIdentity image) =>
        new(new WorkingSetImage(set, image, _path)) { IsListed = false };

    private void Look()
    {
        lock (_lock)
        {
            if (FileStamp.TryOf(_path) is not { } stamp || stamp == _stamp)
                return;
            _stamp = stamp;
            try
            {
                var set = WorkingSetFile.Load(_path, _image);
                foreach (var image in _identities)
                    _server!.Replace(OfferOf(set, image));
                _set = set;
                _log($"working set {_path}: {set.TouchedPages} pages, generation {set.Generation}");
            }
            catch (PagingException e)
            {
                _log($"the working set stays as it was: {e.Message}");
            }
        }
    }
}
