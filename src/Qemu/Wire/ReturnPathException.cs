namespace Userfault.Qemu;

/// <summary>The destination has sent what the protocol does not have.</summary>
/// <param name="problem">What, without a full stop.</param>
internal sealed class ReturnPathException(string problem) : Exception(problem);
