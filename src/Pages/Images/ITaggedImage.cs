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
    ulong TagOf(MemoryPage page);

    /// <summary>The page as it travels: its tag, or the word that it is zero.</summary>
    unsafe PageContent ContentOf(MemoryPage page)
    {
        var tag = TagOf(page);
        return tag == PageTag.Zero ? PageContent.Zero(page) : PageContent.Of(page, null, tag);
    }
}
