namespace Userfault.Nodes.Tests.Contract;

/// <summary>A member in a <see cref="ContractView"/>.</summary>
/// <param name="Roles">Its roles, separated by commas.</param>
/// <param name="State">Its state.</param>
/// <param name="IsReachable">Is it reachable?</param>
public sealed record ContractMember(string Roles, MemberState State, bool IsReachable);
