namespace Userfault.Cli;

/// <summary>A block of RAM of a saved guest.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="FirstPage">Its first page in the image.</param>
/// <param name="Pages">Its pages.</param>
/// <param name="ContentPages">Pages that the file has content for; the others are zero.</param>
internal sealed record QemuInfoBlock(string Name, ulong Bytes, ulong FirstPage, ulong Pages, ulong ContentPages)
{
    /// <summary>Zero pages.</summary>
    public ulong ZeroPages => Pages - ContentPages;
}
