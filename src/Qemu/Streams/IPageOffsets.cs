namespace Userfault.Qemu;

/// <summary>Where the pages of a stream's RAM blocks lie in the file.</summary>
internal interface IPageOffsets
{
    /// <summary>The file holds this page's content at an offset; the last one told holds.</summary>
    void SetContent(ulong page, ulong offset);

    /// <summary>The page is zero.</summary>
    void SetZero(ulong page);
}
