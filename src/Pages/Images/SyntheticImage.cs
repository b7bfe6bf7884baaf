using System.Runtime.Intrinsics;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// An image made from a seed, page by page, never stored. Each page draws by itself whether it is zero, one of a few
/// shared contents, or unique; a content is an arithmetic progression of 512 words, whose start and odd step are drawn
/// from the seed, so that any page wrong, shifted or cut short is told apart, and making one costs less than copying
/// it.
/// </summary>
public sealed unsafe class SyntheticImage : IMemoryImage
{
    /// <summary>How many contents the duplicate pages share among them.</summary>
    public const ulong DuplicateContents = 256;

    /// <summary>The most pages: 4 PiB, x86's physical address space.</summary>
    public const ulong MostPages = 1UL << 40;

    private readonly SyntheticSettings _settings;
    private readonly Lazy<ImageIdentity> _identity;

    /// <summary>The image of these settings.</summary>
    /// <exception cref="PagingException">Size or a share out of bounds.</exception>
    public SyntheticImage(SyntheticSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Pages is 0 or > MostPages)
        {
            throw new PagingException(
                PagingError.BadSize,
                "synthetic image",
                $"{settings.Pages} pages",
                $"give 1 to {MostPages} pages of 4 KiB"
            );
        }
        if (
            !(
                settings.ZeroShare >= 0
                && settings.DuplicateShare >= 0
                && settings.ZeroShare + settings.DuplicateShare <= 1
            )
        )
        {
            throw new PagingException(
                PagingError.BadOption,
                "synthetic image",
                $"zero share {settings.ZeroShare} and duplicate share {settings.DuplicateShare}",
                "give two shares from 0 to 1 that add up to at most 1"
            );
        }
        _settings = settings;
        _identity = new Lazy<ImageIdentity>(() => ImageIdentity.Of(this, recipe: settings.ToString()));
    }

    /// <inheritdoc/>
    public string Name => $"synthetic {_settings.Pages} pages, seed {_settings.Seed}";

    /// <inheritdoc/>
    public ImageKind Kind => ImageKind.Synthetic;

    /// <inheritdoc/>
    public ulong Pages => _settings.Pages;

    /// <inheritdoc/>
    public ImageIdentity Identity => _identity.Value;

    /// <inheritdoc/>
    public byte* Read(MemoryPage page, byte* scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        if (!HasContent(page, out var content))
            return null;
        Fill(scratch, Mix64.At(_settings.Seed, content), Mix64.At(~_settings.Seed, content) | 1);
        return scratch;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held.
    }

    // Contents are numbered: the shared ones above 2^63, the unique ones by their page.
    private bool HasContent(MemoryPage page, out ulong content)
    {
        var draw = Mix64.At(_settings.Seed ^ 0x5eed_0f_c0_47e4_75, page.Value);
        var share = Mix64.Fraction(draw);
        content =
            share < _settings.ZeroShare + _settings.DuplicateShare
                ? (1UL << 63) | Mix64.Below(Mix64.Of(draw), DuplicateContents)
                : page.Value;
        return share >= _settings.ZeroShare;
    }

    // An odd step makes at most one of the 512 words zero: no content is mistaken for the zero page.
    private static void Fill(byte* bytes, ulong start, ulong step)
    {
        var value = Vector256.Create(start, start + step, start + (2 * step), start + (3 * step));
        var stride = Vector256.Create(4 * step);
        for (var p = bytes; p < bytes + Page.Size; p += 32)
        {
            value.StoreUnsafe(ref *(ulong*)p);
            value += stride;
        }
    }
}
