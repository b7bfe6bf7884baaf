namespace Userfault.Pages;

/// <summary>In which form a page's content travels.</summary>
public enum PageContentKind : byte
{
    /// <summary>All zero: no bytes travel.</summary>
    Zero,

    /// <summary>4096 bytes, by reference.</summary>
    Bytes,

    /// <summary>The same content as a page this source has sent before: the bytes did not travel again.</summary>
    Duplicate,
}
