namespace Userfault.Pages;

/// <summary>
/// Where is kept what takes long to find out about images: below XDG_CACHE_HOME, or .cache of the user's home. All of
/// it may be deleted at any time.
/// </summary>
public static class UserCache
{
    /// <summary>The folder of one kind of things; null where the user has neither.</summary>
    /// <param name="name">The folder's name.</param>
    public static string? FolderFor(string name)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (!Path.IsPathFullyQualified(cache ?? ""))
        {
            var home = Environment.GetEnvironmentVariable("HOME");
            cache = string.IsNullOrEmpty(home) ? null : Path.Combine(home, ".cache");
        }
        return cache is null ? null : Path.Combine(cache, "userfault", name);
    }
}
