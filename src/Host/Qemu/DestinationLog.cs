using System.Text;

namespace Userfault.Cli;

/// <summary>What QEMU has printed to a file since the restore began: its errors are seen nowhere else.</summary>
internal sealed class DestinationLog
{
    private const int MaxBytes = 64 << 10;
    private static readonly string[] Callers =
    [
        "load of migration failed",
        "error while loading state",
        // What goes wrong while it ends.
        "Assertion",
    ];
    private readonly string _path;
    private readonly long _from;

    /// <summary>A log as it is now; what is in it already is not looked at.</summary>
    public DestinationLog(string path)
    {
        _path = path;
        _from = LengthOf(path);
    }

    /// <summary>
    /// The line in which QEMU says why it gave up; null where it has printed none. It is the last one but for those in
    /// which the callers of what failed say that they failed, too.
    /// </summary>
    public string? Reason()
    {
        try
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Position = Math.Max(_from, file.Length - MaxBytes);
            using var reader = new StreamReader(file, Encoding.UTF8);
            var lines = reader
                .ReadToEnd()
                .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return lines.LastOrDefault(static line => !Callers.Any(line.Contains)) ?? lines.LastOrDefault();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static long LengthOf(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
