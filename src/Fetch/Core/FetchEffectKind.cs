namespace Userfault.Fetch;

/// <summary>What a shell is to do.</summary>
public enum FetchEffectKind
{
    /// <summary>Ask <see cref="FetchEffect.Source"/> for the pages of <see cref="FetchEffect.Request"/>.</summary>
    Ask,

    /// <summary>Cancel request <see cref="FetchEffect.RequestId"/> at <see cref="FetchEffect.Source"/>: its answer is of no use any more.</summary>
    Cancel,

    /// <summary>Let go of <see cref="FetchEffect.Source"/>, for <see cref="FetchEffect.Loss"/>; its number may be given to another.</summary>
    GiveUp,

    /// <summary>Give <see cref="FetchEffect.Batch"/> to <see cref="FetchEffect.Requester"/>, which releases it.</summary>
    Deliver,

    /// <summary>
    /// Tell <see cref="FetchEffect.Requester"/> that background page <see cref="FetchEffect.Gfn"/> will not come: its source
    /// takes it to be in place.
    /// </summary>
    NotSent,

    /// <summary>Tell <see cref="FetchEffect.Requester"/> that <see cref="FetchEffect.Gfn"/> will not come: no source is left.</summary>
    Fail,
}
