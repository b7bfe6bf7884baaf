namespace Userfault.Qemu;

/// <summary>What was appended to a channel.</summary>
/// <param name="Kind">Which.</param>
/// <param name="RequestedNs">Of an answer: when the request was read; else 0.</param>
internal readonly record struct Written(WrittenKind Kind, long RequestedNs = 0);
