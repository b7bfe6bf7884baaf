namespace Userfault.Pages;

/// <summary>Memory that the pages of a <see cref="PageBatch"/> lie in, held until the batch is released.</summary>
internal interface IPageLease
{
    /// <summary>The batch does not point into it any more. Called once, from any thread.</summary>
    void Release();
}
