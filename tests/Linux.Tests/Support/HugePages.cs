using System.Globalization;

namespace Userfault.Linux.Tests;

/// <summary>Huge pages of this machine, reserved for one test and given back. One test at a time, over all processes.</summary>
internal sealed class HugePages : IDisposable
{
    private const string Reserve = "/proc/sys/vm/nr_hugepages";
    private readonly FileStream _lock;
    private readonly int _before;

    private HugePages(FileStream held, int before) => (_lock, _before) = (held, before);

    /// <summary>Reserves some, or skips the test with the reason.</summary>
    public static HugePages Take(int count)
    {
        FileStream? held = null;
        try
        {
            held = new FileStream(Path.Combine(Path.GetTempPath(), "userfault-huge-pages"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var pages = new HugePages(held, Now());
            File.WriteAllText(Reserve, (pages._before + count).ToString(CultureInfo.InvariantCulture));
            if (Now() >= pages._before + count) return pages;
            pages.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            Skip.If(true, $"no huge pages can be reserved here: {e.Message}");
        }
        Skip.If(true, $"this machine's memory holds no {count} huge pages in one piece each");
        return null!;
    }

    public void Dispose()
    {
        File.WriteAllText(Reserve, _before.ToString(CultureInfo.InvariantCulture));
        _lock.Dispose();
    }

    private static int Now() => int.Parse(File.ReadAllText(Reserve), CultureInfo.InvariantCulture);
}
