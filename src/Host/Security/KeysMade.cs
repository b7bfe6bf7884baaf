namespace Userfault.Cli;

/// <summary>What <see cref="KeyFolder.Make"/> has made.</summary>
/// <param name="First">The first node.</param>
/// <param name="Last">The last node.</param>
/// <param name="IsNewAuthority">Was the authority made as well?</param>
/// <param name="AuthorityEnds">The end of its validity.</param>
/// <param name="NodesEnd">The end of the nodes' certificates.</param>
internal sealed record KeysMade(int First, int Last, bool IsNewAuthority, DateTimeOffset AuthorityEnds, DateTimeOffset NodesEnd);
