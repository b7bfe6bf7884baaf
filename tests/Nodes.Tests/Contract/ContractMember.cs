namespace Userfault.Nodes.Tests.Contract;

/// <summary>A member in a <see cref="ContractView"/>.</summary>
/// <param name="Roles">Its roles, with commas.</param>
/// <param name="State">Its place in life.</param>
/// <param name="IsReachable">Can it be reached?</param>
public sealed record ContractMember(string Roles, MemberState State, bool IsReachable);
