using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>A saved stream that is refused, in one line: the file, what is wrong, and the mend.</summary>
public sealed class StreamException : PagingException
{
    /// <summary>An error about the file at <paramref name="path"/>.</summary>
    /// <param name="reason">Which of the closed set.</param>
    /// <param name="path">The file.</param>
    /// <param name="problem">What is wrong with it, without a full stop.</param>
    /// <param name="mend">What to do about it, without a full stop.</param>
    public StreamException(StreamError reason, string path, string problem, string mend)
        : base(KindOf(reason), path, $"{reason}: {problem}", mend) => Reason = reason;

    /// <summary>Which of the closed set.</summary>
    public StreamError Reason { get; }

    private static PagingError KindOf(StreamError reason) =>
        reason switch
        {
            StreamError.CutOff => PagingError.Truncated,
            StreamError.Corrupt => PagingError.Corrupt,
            StreamError.TooLarge => PagingError.BadSize,
            _ => PagingError.WrongFormat,
        };
}
