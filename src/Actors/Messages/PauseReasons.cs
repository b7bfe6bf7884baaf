namespace Userfault.Actors;

/// <summary>
/// Why a migration is paused, where the reason is not an exception's. Reports and status carry these texts.
/// </summary>
public static class PauseReasons
{
    /// <summary>Every page source of a fetcher has failed or was lost.</summary>
    public const string NoSourceLeft = "no page source is left";

    /// <summary>The pool has no fetcher.</summary>
    public const string NoFetcherLeft = "no fetcher is left";

    /// <summary>All pages have arrived, but the digests to verify them against have not.</summary>
    public const string NotVerifiable = "all pages are in place, but no source answers for the digests to verify them";
}
