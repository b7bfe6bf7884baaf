namespace Userfault.Cli;

/// <summary>Which nodes a migration got its pages from.</summary>
/// <param name="Nodes">Nodes that it was connected to at some time.</param>
/// <param name="LostNodes">Of these, nodes that went away and had not come back at the end.</param>
/// <param name="Names">The nodes, as H:P.</param>
/// <param name="LostNames">The lost ones, as H:P.</param>
internal sealed record ClusterSummary(
    int Nodes,
    int LostNodes,
    IReadOnlyList<string> Names,
    IReadOnlyList<string> LostNames
);
