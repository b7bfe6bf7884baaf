using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// How guest writes are accounted for without a log of them. A page's fingerprint is the sum (mod 2^64) of one hash a
/// word, of its place and value. A write that turns a word from a to b moves the fingerprint by hash(b) - hash(a); the
/// sum of those moves is all that is remembered of a page's writes (8 bytes), in whatever order vCPUs made them. A
/// stamp lost to late content, doubled or torn leaves a page whose fingerprint does not fit the sum.
/// </summary>
public static class StampMath
{
    /// <summary>8-byte words in a page.</summary>
    public const int WordsPerPage = Page.Size / 8;

    /// <summary>
    /// Which word of any page a vCPU writes and reads: its own, so that vCPUs meet on pages and not on words, up to 512
    /// of them; vCPUs past that share words and exchange them atomically.
    /// </summary>
    public static int WordIndex(int vcpu) => vcpu & (WordsPerPage - 1);

    /// <summary>
    /// By how much a page's fingerprint moves when a word goes from <paramref name="from"/> to <paramref name="to"/>.
    /// </summary>
    public static ulong Move(int wordIndex, ulong from, ulong to) =>
        unchecked(Mix64.At((ulong)wordIndex, to) - Mix64.At((ulong)wordIndex, from));

    /// <summary>
    /// By how much a page's tag moves when it is written with <paramref name="stamp"/>, where content is tags.
    /// </summary>
    public static ulong TagMove(GuestStamp stamp) => Mix64.At(0x7a6, stamp.Word);
}
