namespace Userfault.Kernel.Tests.Cases;

/// <summary>A test to run inside of the emulated kernel.</summary>
/// <param name="Case">The test case, serialized by xunit.</param>
/// <param name="Variables">Settings of the tests, taken from this machine's environment.</param>
public sealed record CaseRequest(string Case, IReadOnlyDictionary<string, string> Variables);
