using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>What the settings make of a migration: what the guest is, and how it is paged.</summary>
internal static class MigrationSection
{
    /// <summary>Settings as the migration takes them.</summary>
    /// <exception cref="CliException">A value cannot be used.</exception>
    public static MigrationSettings Of(Settings settings)
    {
        var migration = new MigrationSettings
        {
            Architecture = settings.OneOf<Architecture>("arch"),
            Mode = settings.OneOf<FaultMode>("mode"),
            Memory = MemoryOf(settings),
            Background = settings.OneOf<BackgroundOrder>("background.order"),
            BackgroundWindowPages = settings.Count("background.window", 1, 1 << 20),
            BackgroundChunkPages = settings.Count("background.chunk", 1, 4096),
            Memslot = new MemslotSettings
            {
                WorkBudget = settings.Count("memslot.work-budget", 1, 1 << 20),
                LocalityPages = settings.Count("memslot.locality-pages", 0, 4096),
                UffdDescriptors = settings.Count("uffd.descriptors", 1, 1024),
                UffdReaders = settings.Count("uffd.readers", 1, 1024),
            },
            HostAccesses = settings.Count("uffd.host-accesses", 0, int.MaxValue),
            SlotPages = settings.Pages("memslot.size"),
            Fetchers = settings.Count("fetcher.count", 1, 1024),
            Fetcher = FetcherSection.Of(settings),
            Vcpu = new VcpuSettings
            {
                SliceAccesses = settings.Count("vcpu.slice-accesses", 1, 1 << 20),
                RunAheadNs = settings.DurationNs("vcpu.run-ahead"),
            },
            ProgressNs = Math.Max(10_000_000, settings.DurationNs("progress.interval")),
            SampleNs = Math.Max(1_000_000, settings.DurationNs("progress.sample")),
            StripCells = settings.Count("progress.strip-cells", 1, 4096),
            Seed = (ulong)settings.Count("seed", 0, int.MaxValue),
        };
        Check(migration);
        return migration;
    }

    private static MemoryKind MemoryOf(Settings settings)
    {
        var (name, value) = settings.Get("memory");
        // The kernel's word is guest_memfd; the others are plain.
        return value == "guest_memfd" ? MemoryKind.GuestMemfd
            : value == "anonymous" ? MemoryKind.Anonymous
            : value == "shmem" ? MemoryKind.Shmem
            : throw Units.Bad(name, value, "one of anonymous, shmem, guest_memfd");
    }

    private static void Check(MigrationSettings migration)
    {
        if (migration.Memory == MemoryKind.GuestMemfd && migration.Mode != FaultMode.Userfault)
        {
            throw new CliException(
                "--memory guest_memfd: has no host mapping for userfaultfd to watch; add --mode userfault"
            );
        }

        if (migration.Memory == MemoryKind.GuestMemfd && migration.Architecture == Architecture.Arm64)
            throw new CliException("--memory guest_memfd: private memory is modelled for x86 alone; use --arch x86");
        if (migration.HostAccesses > 0 && migration.Mode == FaultMode.Userfault)
        {
            throw new CliException(
                "userfault.uffd.host-accesses: KVM Userfault alone does not catch them; use --mode both or userfaultfd"
            );
        }
    }
}
