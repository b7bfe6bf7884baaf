using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// An image whose pages' tags are known without their bytes: simulations at scale read nothing else. Its
/// <see cref="IMemoryImage.Read"/> may refuse.
/// </summary>
public interface ITaggedImage : IMemoryImage
{
    /// <summary>
    /// The content tag of a page (<see cref="PageTag"/>); <see cref="PageTag.Zero"/> for a zero page and past the end.
    /// </summary>
    ulong TagOf(Gfn gfn);

    /// <summary>The page as it travels: its tag, or the word that it is zero.</summary>
    unsafe PageContent ContentOf(Gfn gfn)
    {
        var tag = TagOf(gfn);
        return tag == PageTag.Zero ? PageContent.Zero(gfn) : PageContent.Of(gfn, null, tag);
    }
}
