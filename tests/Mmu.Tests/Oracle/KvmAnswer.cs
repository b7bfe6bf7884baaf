namespace Userfault.Mmu.Tests.Oracle;

/// <summary>What a call answered, in the terms in which the kernel and the model must agree.</summary>
/// <param name="Errno">0 for success.</param>
/// <param name="Value">The ioctl's positive result, or what the guest read.</param>
/// <param name="Exit">For a run: how it left the guest.</param>
/// <param name="ExitGpa">Where, for MMIO and memory faults.</param>
/// <param name="ExitDetail">MMIO: length, with bit 8 set for a write. Memory fault: flags.</param>
/// <param name="Failure">What the model threw: never an answer.</param>
/// <param name="Bitmap">For KVM_GET_DIRTY_LOG: the dirty bitmap, in hex words from page 0.</param>
public sealed record KvmAnswer(
    int Errno,
    ulong Value = 0,
    AnswerExit Exit = AnswerExit.None,
    ulong ExitGpa = 0,
    ulong ExitDetail = 0,
    string Bitmap = "",
    string Failure = ""
)
{
    public static KvmAnswer Success { get; } = new(0);

    public static string Words(ReadOnlySpan<ulong> words)
    {
        var last = words.Length;
        while (last > 1 && words[last - 1] == 0)
            last--;
        var text = new string[last];
        for (var i = 0; i < last; i++)
            text[i] = $"{words[i]:x}";
        return string.Join(' ', text) + (last < words.Length ? $" (+{words.Length - last} zero words)" : "");
    }

    public override string ToString()
    {
        var text =
            Errno == 0 ? "0"
            : Enum.IsDefined((Errno)Errno) ? $"{(Errno)Errno}"
            : $"errno {Errno}";
        if (Failure.Length != 0)
            return Failure;
        if (Value != 0)
            text += $" value 0x{Value:x}";
        if (Exit != AnswerExit.None)
            text += $" {Exit} gpa 0x{ExitGpa:x} detail 0x{ExitDetail:x}";
        return Bitmap.Length == 0 ? text : $"{text} dirty [{Bitmap}]";
    }
}
