using System.Globalization;

namespace Userfault.Linux;

/// <summary>
/// How much memory a process may still take before its cgroup's limit makes the kernel kill something: v1
/// (memory.limit_in_bytes) and v2 (memory.max), with the limits of all groups above. Looked up once; a process that is
/// moved later is judged by where it was. Looking allocates nothing.
/// </summary>
public sealed unsafe class CgroupMemory
{
    // What v1 answers where there is no limit is this, rounded to pages, or more than any machine has.
    private const ulong NoLimit = 1UL << 60;
    private const int StatBytes = 8192;

    private readonly Level[] _levels;

    private CgroupMemory(Level[] levels) => _levels = levels;

    /// <summary>The groups of a process; null where none can be found or read.</summary>
    /// <param name="pid">The process, as this one sees it.</param>
    /// <param name="root">The folder that holds /proc and /sys.</param>
    public static CgroupMemory? Of(int pid, string root = "/")
    {
        try
        {
            var groups = File.ReadAllLines(Path.Join(root, $"/proc/{pid}/cgroup"));
            var mounts = File.ReadAllLines(Path.Join(root, "/proc/self/mountinfo"));
            // Where the memory controller is one of v1, v2 has nothing to say about it.
            var levels = FirstVersion(groups, mounts, root) ?? SecondVersion(groups, mounts, root);
            return levels is { Length: > 0 } ? new CgroupMemory(levels) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Looks at the level that leaves least.</summary>
    /// <param name="limit">Its limit, in bytes.</param>
    /// <param name="left">What is left below it, in bytes, page cache that can be dropped counted as free.</param>
    /// <returns>False where there is no limit.</returns>
    public bool TryLook(out ulong limit, out ulong left)
    {
        (limit, left) = (ulong.MaxValue, ulong.MaxValue);
        foreach (var level in _levels)
        {
            var max = Number(level.Limit);
            if (max >= NoLimit)
                continue;
            var used = Number(level.Usage);
            used -= Math.Min(used, InactiveFile(level));
            var room = max > used ? max - used : 0;
            if (room < left)
                (limit, left) = (max, room);
        }

        return limit != ulong.MaxValue;
    }

    // N:memory:/path
    private static Level[]? FirstVersion(string[] groups, string[] mounts, string root)
    {
        var group = groups
            .Select(static line => line.Split(':', 3))
            .FirstOrDefault(static parts => parts.Length == 3 && parts[1].Split(',').Contains("memory"));
        return group is null
            ? null
            : Levels(
                group[2],
                mounts,
                root,
                static (kind, options) => kind == "cgroup" && options.Split(',').Contains("memory"),
                static folder => new Level(
                    Path.Join(folder, "memory.limit_in_bytes"),
                    Path.Join(folder, "memory.usage_in_bytes"),
                    Path.Join(folder, "memory.stat"),
                    IsFirst: true
                )
            );
    }

    // 0::/path
    private static Level[]? SecondVersion(string[] groups, string[] mounts, string root)
    {
        var group = groups.FirstOrDefault(static line => line.StartsWith("0::", StringComparison.Ordinal));
        return group is null
            ? null
            : Levels(
                group[3..],
                mounts,
                root,
                static (kind, _) => kind == "cgroup2",
                static folder => new Level(
                    Path.Join(folder, "memory.max"),
                    Path.Join(folder, "memory.current"),
                    Path.Join(folder, "memory.stat"),
                    IsFirst: false
                )
            );
    }

    // mountinfo: id, parent, device, root, mount point, options, optional fields, "-", kind, source, options.
    private static Level[] Levels(
        string path,
        string[] mounts,
        string root,
        Func<string, string, bool> isIt,
        Func<string, Level> levelAt
    )
    {
        foreach (var mount in mounts)
        {
            var words = mount.Split(' ');
            var dash = Array.IndexOf(words, "-");
            if (dash < 6 || words.Length < dash + 4 || !isIt(words[dash + 1], words[dash + 3]))
                continue;
            // A part of the hierarchy may be mounted: what lies above it is not to be seen.
            var above = words[3] == "/" ? "" : words[3];
            if (path != above && !path.StartsWith(above + "/", StringComparison.Ordinal))
                continue;
            var top = Path.Join(root, words[4]);
            var levels = new List<Level>();
            for (var at = path[above.Length..].Trim('/'); ; at = Path.GetDirectoryName(at) ?? "")
            {
                var level = levelAt(Path.Join(top, at));
                if (File.Exists(level.Limit))
                    levels.Add(level);
                if (at.Length == 0)
                    return [.. levels];
            }
        }

        return [];
    }

    private static ulong InactiveFile(Level level)
    {
        var buffer = stackalloc byte[StatBytes];
        var text = Read(level.Stat, buffer, StatBytes);
        // v1 tells that of the group itself first, and then that of all below it.
        var name = level.IsFirst ? "\ntotal_inactive_file "u8 : "\ninactive_file "u8;
        return text.IndexOf(name) is var at and >= 0 ? Parse(text[(at + name.Length)..]) : 0;
    }

    private static ulong Number(string path)
    {
        var buffer = stackalloc byte[64];
        return Parse(Read(path, buffer, 64));
    }

    // "max" and what cannot be read is no limit.
    private static ulong Parse(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        return ulong.TryParse(end < 0 ? text : text[..end], CultureInfo.InvariantCulture, out var number)
            ? number
            : ulong.MaxValue;
    }

    private static ReadOnlySpan<byte> Read(string path, byte* buffer, int bytes)
    {
        var fd = Libc.Open(path, Libc.O_RDONLY | Libc.O_CLOEXEC, 0);
        if (fd < 0)
            return default;
        var read = Libc.Read(fd, buffer, (nuint)bytes);
        _ = Libc.Close(fd);
        return new ReadOnlySpan<byte>(buffer, (int)Math.Max(0, read));
    }

    private readonly record struct Level(string Limit, string Usage, string Stat, bool IsFirst);
}
