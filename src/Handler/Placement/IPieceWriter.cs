using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>Puts one piece in place, on any thread.</summary>
internal unsafe interface IPieceWriter
{
    /// <summary>Puts a piece in place, and wakes the threads that wait for it.</summary>
    /// <param name="first">The piece's first page of guest memory.</param>
    /// <param name="to">Its address in the guest.</param>
    /// <param name="from">Where its content is.</param>
    /// <param name="bytes">How much.</param>
    UffdResult Write(ulong first, ulong to, byte* from, ulong bytes);
}
