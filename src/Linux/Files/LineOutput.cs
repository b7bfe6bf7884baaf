using System.Text;

namespace Userfault.Linux;

/// <summary>
/// Writes lines to a descriptor that other processes may share, such as standard output, and says when that fails: the
/// console's own stream keeps it to itself when nobody reads any more. One thread at a time.
/// </summary>
/// <param name="fd">The descriptor's number; not owned.</param>
public sealed unsafe class LineOutput(int fd)
{
    /// <summary>Standard output.</summary>
    public const int StandardOutput = 1;

    /// <summary>Standard error.</summary>
    public const int StandardError = 2;

    private bool _isMidLine;

    /// <summary>Writes a line, behind the end of one that was cut short.</summary>
    /// <exception cref="LinuxException">ENOSPC, EPIPE, EIO and their like; a part of it may have been
    /// written.</exception>
    public void WriteLine(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(_isMidLine ? $"\n{line}\n" : $"{line}\n");
        fixed (byte* from = bytes)
        {
            var written = 0;
            while (written < bytes.Length)
            {
                var count = Libc.Write(fd, from + written, (nuint)(bytes.Length - written));
                if (count >= 0)
                {
                    written += (int)count;
                    continue;
                }

                var error = Errors.Last;
                if (error == LinuxErrno.EINTR)
                    continue;
                if (error == LinuxErrno.EAGAIN)
                {
                    // Another process that shares it has made it non-blocking.
                    var poll = new PollFd(fd, Libc.POLLOUT);
                    _ = Libc.Poll(&poll, 1, -1);
                    continue;
                }

                _isMidLine |= written > 0;
                throw new LinuxException($"write to descriptor {fd}", error);
            }

            _isMidLine = false;
        }
    }
}
