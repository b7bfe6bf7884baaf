using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// Is told which sources a <see cref="SourceSet"/> has. On any thread, under the set's lock: hands over and returns.
/// </summary>
internal interface ISourceFollower
{
    /// <summary>A source is there.</summary>
    void OnAdded(IPageSource source, bool isSpare);

    /// <summary>A source is gone.</summary>
    void OnRemoved(IPageSource source);
}
