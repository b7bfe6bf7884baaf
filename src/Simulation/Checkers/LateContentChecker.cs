using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Late content is dropped: nothing is placed over a page whose bit is clear, in particular not over the guest's own
/// writes. And the content placed is the image's.
/// </summary>
internal sealed class LateContentChecker : Checker
{
    /// <inheritdoc/>
    public override string Name => "late-content";

    /// <inheritdoc/>
    public override void OnPlace(in PageContent content)
    {
        var page = content.Page;
        if (View.SlotOf(page) is null)
            Violate($"content is placed in {page}, which is in no memslot");
        else if (View.IsWritten(page))
            Violate($"content that came late is placed over the guest's own write in {page}");
        else if (!View.IsMissing(page))
            Violate($"content is placed in {page}, whose bit is clear");
        else if (content.Tag != View.ImageTag(page))
            Violate($"0x{content.Tag:x} is placed in {page}, whose content is 0x{View.ImageTag(page):x}");
    }
}
