namespace Userfault.Fetch;

/// <summary>The actions that a shell performs.</summary>
public enum FetchEffectKind
{
    /// <summary>Request the pages of <see cref="FetchEffect.Request"/> from <see cref="FetchEffect.Source"/>.</summary>
    Ask,

    /// <summary>
    /// Cancel request <see cref="FetchEffect.RequestId"/> at <see cref="FetchEffect.Source"/>: its answer is no longer
    /// needed.
    /// </summary>
    Cancel,

    /// <summary>
    /// Release <see cref="FetchEffect.Source"/>, because of <see cref="FetchEffect.Loss"/>. Its number may be reused
    /// for another source.
    /// </summary>
    GiveUp,

    /// <summary>
    /// Give <see cref="FetchEffect.Batch"/> to <see cref="FetchEffect.Requester"/>, which releases it.
    /// </summary>
    Deliver,

    /// <summary>
    /// Report to <see cref="FetchEffect.Requester"/> that background page <see cref="FetchEffect.Page"/> will not
    /// arrive: the source assumes that it is in place.
    /// </summary>
    NotSent,

    /// <summary>
    /// Report to <see cref="FetchEffect.Requester"/> that <see cref="FetchEffect.Page"/> will not arrive: no source is
    /// left.
    /// </summary>
    Fail,
}
