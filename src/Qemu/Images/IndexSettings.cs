using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>Where indexes of streams are kept beside the folders of the streams themselves.</summary>
/// <param name="CacheFolder">For streams whose folder cannot be written to; null: nowhere.</param>
/// <param name="Time">The clock that files are stamped by.</param>
internal sealed record IndexSettings(string? CacheFolder, TimeProvider Time)
{
    /// <summary>The user's cache, and the machine's clock.</summary>
    public static IndexSettings Default => new(UserCache.FolderFor("streams"), TimeProvider.System);
}
