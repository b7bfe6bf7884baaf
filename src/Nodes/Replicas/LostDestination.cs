using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>A destination that disappeared before it had every page, as far as a replica of its bitmap knows.</summary>
/// <param name="Owner">Its node.</param>
/// <param name="PagesPresent">Minimum number of pages that it had in place.</param>
/// <param name="Pages">Pages of its guest.</param>
public sealed record LostDestination(Address Owner, ulong PagesPresent, ulong Pages)
{
    /// <summary>The event's id, with which its line starts.</summary>
    public const string EventId = "DestinationLost";

    /// <summary>
    /// The log line. The source keeps the image whatever a destination does: only the destination's work is lost.
    /// </summary>
    public override string ToString() =>
        $"{EventId}: destination {Owner.Host}:{Owner.Port} was lost with {PagesPresent} of {Pages} pages in place; "
        + $"every page "
        + $"is still here";
}
