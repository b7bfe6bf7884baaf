using Userfault.Tests;

namespace Userfault.Linux.Tests;

/// <summary>The tightest memory limit above a process, read from files as the kernel has them.</summary>
public class CgroupMemoryTests
{
    private const int Pid = 77;
    private const ulong MiB = 1 << 20;

    [Fact]
    public void The_second_version_is_read_from_memory_max_up_to_the_top()
    {
        using var root = new Root(
            "0::/pod/vm",
            "29 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate"
        );
        root.Group(
            "pod/vm",
            ("memory.max", "max"),
            ("memory.current", "1048576"),
            ("memory.stat", "anon 1\ninactive_file 0\n")
        );
        root.Group(
            "pod",
            ("memory.max", $"{64 * MiB}"),
            ("memory.current", $"{50 * MiB}"),
            ("memory.stat", $"anon 1\ninactive_file {10 * MiB}\nactive_file 0\n")
        );
        Assert.Equal((64 * MiB, 24 * MiB), root.Look());
    }

    [Fact]
    public void The_tightest_level_is_what_counts()
    {
        using var root = new Root("0::/pod/vm", "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
        root.Group("pod/vm", ("memory.max", $"{64 * MiB}"), ("memory.current", $"{60 * MiB}"));
        root.Group("pod", ("memory.max", $"{1024 * MiB}"), ("memory.current", $"{1023 * MiB}"));
        Assert.Equal((1024 * MiB, MiB), root.Look());
    }

    [Fact]
    public void The_first_version_is_read_from_its_own_hierarchy()
    {
        using var root = new Root(
            "4:cpu,cpuacct:/x\n3:memory:/vms/a\n0::/",
            "30 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                + "31 23 0:28 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n"
                + "32 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"
        );
        root.Group(
            "vms/a",
            ("memory.limit_in_bytes", $"{64 * MiB}"),
            ("memory.usage_in_bytes", $"{40 * MiB}"),
            ("memory.stat", $"cache 0\ninactive_file 7\ntotal_inactive_file {4 * MiB}\n")
        );
        root.Group("", ("memory.limit_in_bytes", "9223372036854771712"), ("memory.usage_in_bytes", "1"));
        Assert.Equal((64 * MiB, 28 * MiB), root.Look());
    }

    /// <summary>In a container the hierarchy is mounted from the container's group on.</summary>
    [Fact]
    public void A_part_of_the_hierarchy_may_be_mounted()
    {
        using var root = new Root("0::/docker/abc/vm", "29 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
        root.Group("vm", ("memory.max", $"{64 * MiB}"), ("memory.current", $"{64 * MiB + 5}"));
        Assert.Equal((64 * MiB, 0UL), root.Look());
    }

    [Theory]
    [InlineData("0::/vm", "29 23 0:26 / /elsewhere rw - tmpfs tmpfs rw")]
    [InlineData("0::/../outside", "29 23 0:26 /docker /sys/fs/cgroup rw - cgroup2 cgroup2 rw")]
    [InlineData("", "")]
    [InlineData("nonsense", "nonsense - ")]
    public void What_cannot_be_found_is_no_limit(string groups, string mounts)
    {
        using var root = new Root(groups, mounts);
        Assert.Null(root.Look());
    }

    [Fact]
    public void A_process_that_has_ended_has_no_limit() => Assert.Null(CgroupMemory.Of(0));

    [SkippableFact]
    public void This_process_is_read_without_a_failure()
    {
        Skip.IfNot(File.Exists("/proc/self/cgroup"), "no cgroups here");
        if (CgroupMemory.Of(Environment.ProcessId) is { } memory && memory.TryLook(out var limit, out var left))
            Assert.InRange(left, 1UL, limit);
    }

    private sealed class Root : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Root(string groups, string mounts)
        {
            Write($"proc/{Pid}/cgroup", groups + "\n");
            Write("proc/self/mountinfo", mounts + "\n");
        }

        public void Group(string path, params (string Name, string Text)[] files)
        {
            foreach (var (name, text) in files)
                Write(Path.Join("sys/fs/cgroup", path, name), text + "\n");
        }

        public (ulong Limit, ulong Left)? Look() =>
            CgroupMemory.Of(Pid, _folder.Path) is { } memory && memory.TryLook(out var limit, out var left)
                ? (limit, left)
                : null;

        public void Dispose() => _folder.Dispose();

        private void Write(string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.At(path))!);
            _folder.Write(path, text);
        }
    }
}
