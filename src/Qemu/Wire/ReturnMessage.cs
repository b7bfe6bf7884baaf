namespace Userfault.Qemu;

/// <summary>A message of the destination's.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Value">Of <see cref="ReturnKind.Shut"/>, <see cref="ReturnKind.Pong"/> and
/// <see cref="ReturnKind.ResumeAck"/>.</param>
/// <param name="Block">The block of a request or a bitmap.</param>
/// <param name="Offset">Of a request: the first byte in the block.</param>
/// <param name="Bytes">Of a request: how many.</param>
/// <param name="Bitmap">One bit a page, 1 is received; the reader's until the next message.</param>
internal readonly record struct ReturnMessage(
    ReturnKind Kind,
    uint Value = 0,
    string? Block = null,
    ulong Offset = 0,
    uint Bytes = 0,
    ReadOnlyMemory<byte> Bitmap = default
);
