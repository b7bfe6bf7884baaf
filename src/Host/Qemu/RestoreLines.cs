using Userfault.Linux;

namespace Userfault.Cli;

/// <summary>
/// Writes lines about guests, from any thread. A line that cannot be written, because a pipe is closed or a disk is
/// full, must not end a guest: the error is kept and reported at the end.
/// </summary>
/// <param name="fd">Where to: standard output or standard error.</param>
internal sealed class RestoreLines(int fd)
{
    private readonly LineOutput _output = new(fd);
    private readonly Lock _lock = new();

    /// <summary>Why lines are missing; null where none is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Writes a line, or notes that it cannot.</summary>
    public void Write(string line)
    {
        lock (_lock)
        {
            if (Problem is not null)
                return;
            try
            {
                _output.WriteLine($"userfault qemu: {line}");
            }
            catch (LinuxException e)
            {
                Problem = e.Message;
            }
        }
    }
}
