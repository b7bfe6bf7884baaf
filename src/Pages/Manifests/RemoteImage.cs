namespace Userfault.Pages;

/// <summary>
/// An image that other nodes have and this process has not: its shape and its digests, without a byte of its content.
/// What arrives of it, and what the guest reads of it, is verified by <see cref="Digests"/>.
/// </summary>
public sealed class RemoteImage : IMemoryImage
{
    private readonly ImageManifest _manifest;

    /// <summary>The image that a manifest describes.</summary>
    /// <param name="manifest">Its shape.</param>
    /// <param name="name">Its name where it is.</param>
    public RemoteImage(ImageManifest manifest, string name)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        (_manifest, Name) = (manifest, name);
        Digests = new PageDigests(manifest);
    }

    /// <summary>What its pages must be; to be filled.</summary>
    public PageDigests Digests { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ImageKind Kind => ImageKind.Remote;

    /// <inheritdoc/>
    public ulong Pages => _manifest.ImagePages;

    /// <inheritdoc/>
    public IReadOnlyList<MemoryPageRange> Ranges => _manifest.Ranges;

    /// <inheritdoc/>
    public ImageIdentity Identity => _manifest.Image;

    /// <summary>Impossible: there is no content here.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public unsafe byte* Read(MemoryPage page, byte* scratch) =>
        throw new InvalidOperationException($"the content of {Name} is not in this process");

    /// <inheritdoc/>
    public void Dispose() => Digests.Dispose();
}
