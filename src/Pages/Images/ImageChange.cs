namespace Userfault.Pages;

/// <summary>What has become of an image's file since it was opened.</summary>
/// <param name="What">In words, about the file.</param>
/// <param name="IsContent">
/// Has its content changed? Else its path leads elsewhere: what was opened is still as it was, and another who opens
/// the path gets another image.
/// </param>
public sealed record ImageChange(string What, bool IsContent);
