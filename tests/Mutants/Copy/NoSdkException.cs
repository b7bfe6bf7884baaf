namespace Userfault.Mutants;

/// <summary>Nothing can be built where the tests run.</summary>
/// <param name="reason">Why.</param>
internal sealed class NoSdkException(string reason) : Exception($"no SDK here to build the mutated copy with: {reason}");
