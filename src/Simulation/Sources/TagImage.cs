using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// A guest's memory as content tags only, computed from a seed on demand: a guest of any size needs no memory.
/// </summary>
public sealed unsafe class TagImage : ITaggedImage
{
    private readonly ulong _seed;
    private readonly ulong _zeroBelow;

    /// <summary>An image of a seed.</summary>
    /// <param name="pages">Number of pages, at least one.</param>
    /// <param name="seed">Determines the contents.</param>
    /// <param name="zeroShare">Share of pages that are zero, 0 to 1.</param>
    public TagImage(ulong pages, ulong seed, double zeroShare = 0)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, SyntheticImage.MostPages);
        if (!(zeroShare is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(zeroShare), zeroShare, "give 0 to 1");
        (Pages, _seed) = (pages, seed);
        _zeroBelow = (ulong)(zeroShare * uint.MaxValue);
        Span<byte> identity = stackalloc byte[ImageIdentity.Size];
        for (var i = 0; i < identity.Length; i += sizeof(ulong))
            BitConverter.TryWriteBytes(identity[i..], Mix64.At(Mix64.At(seed, pages), (ulong)i));
        Identity = new ImageIdentity(identity);
    }

    /// <inheritdoc/>
    public string Name => $"tags of {Pages} pages, seed {_seed}";

    /// <inheritdoc/>
    public ImageKind Kind => ImageKind.Synthetic;

    /// <inheritdoc/>
    public ulong Pages { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity { get; }

    /// <inheritdoc/>
    public ulong TagOf(MemoryPage page)
    {
        if (page.Value >= Pages)
            return PageTag.Zero;
        var drawn = Mix64.At(_seed, page.Value);
        return (uint)drawn < _zeroBelow ? PageTag.Zero : drawn | 1;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always: there are only tags, no bytes.</exception>
    public byte* Read(MemoryPage page, byte* scratch) => throw new NotSupportedException($"{Name} has no bytes");

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing to release.
    }
}
