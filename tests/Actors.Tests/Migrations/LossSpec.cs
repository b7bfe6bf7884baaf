using Akka.Actor;
using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Migrations;

/// <summary>Migrations in which something is lost or breaks: they pause, go on, and end verified.</summary>
public sealed class LossSpec(ITestOutputHelper output) : Spec(output)
{
    private static readonly FetchSettings Quiet = new() { TickNs = 0, Hedge = false };

    [Fact]
    public void A_lost_source_pauses_with_a_reason_and_its_return_completes()
    {
        using var guest = new Guest(2048);
        var sources = CreateTestProbe();
        // Answers for its first pages, and dies with what is in flight.
        var answered = new List<ulong>();
        var first = TellingSource.Of("first", sources);
        var (pool, migration) = Start(guest, [() => first], guest.Memory);
        while (answered.Count < 500)
        {
            var asked = sources.ExpectMsg<Asked>();
            Answer(guest, asked);
            answered.AddRange(asked.Pages);
        }

        // One request is in flight at least.
        sources.ExpectMsg<Asked>();
        pool.Tell(new FetcherPoolProtocol.RemoveSource("first", "its node has left"));
        var paused = FishForMessage<MigrationProgress>(p => p.State == MigrationState.Paused);
        Assert.Equal(PauseReasons.NoSourceLeft, paused.Reason);

        var second = new List<ulong>();
        var back = CreateTestProbe();
        pool.Tell(new FetcherPoolProtocol.AddSource(0, "second", () => TellingSource.Of("second", back)));
        while (second.Count + answered.Count < 2048)
        {
            var asked = back.ExpectMsg<Asked>();
            second.AddRange(asked.Pages);
            Answer(guest, asked);
        }

        var report = FishForMessage<MigrationReport>(_ => true);
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal((2048UL, 0L), (report.PagesPresent, report.Slots.LateDropped));
        Assert.Equal(1, report.Pauses.Count);
        // Nothing that had come was asked for again, and nothing twice.
        Assert.Empty(answered.Intersect(second));
        Assert.Equal(second.Count, second.Distinct().Count());
        Stop(migration);
    }

    [Fact]
    public void A_memslot_that_fails_pauses_the_vm_and_loses_nothing()
    {
        using var guest = new Guest(2048);
        using var memory = new BrokenMemory(guest.Memory, failsAt: 700);
        var (_, migration) = Start(guest, [guest.Source()], memory);
        var paused = FishForMessage<MigrationProgress>(p => p.State == MigrationState.Paused);
        Assert.Contains("memslot-0-0", paused.Reason, StringComparison.Ordinal);
        Assert.Contains("memory broke", paused.Reason, StringComparison.Ordinal);

        migration.Tell(MigrationProtocol.Continue.Instance);
        var report = FishForMessage<MigrationReport>(_ => true);
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal((2048UL, 2000L), (report.PagesPresent, report.Vcpus.Sum(v => v.Accesses)));
        Stop(migration);
    }

    [Fact]
    public void A_fetcher_that_crashes_again_and_again_loses_no_page()
    {
        using var guest = new Guest(2048);
        var opened = 0;
        // The first five throw at their third request, which crashes the fetcher.
        IPageSource Open()
        {
            var breaks = Interlocked.Increment(ref opened) <= 5;
            return new ScriptedSource(behind: new LocalPageSource(guest.Image))
            {
                OnRequest = asked =>
                {
                    if (breaks && asked.Source.Asked.Count == 3)
                        throw new InvalidOperationException("a source that breaks");
                    asked.PassOn();
                },
            };
        }

        var (_, migration) = Start(guest, [Open], guest.Memory);
        var report = FishForMessage<MigrationReport>(_ => true);
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal((2048UL, 6), (report.PagesPresent, opened));
        Stop(migration);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task A_guest_whose_image_is_elsewhere_waits_for_the_digests_and_is_held_against_them(
        ulong otherSeed,
        bool isVerified
    )
    {
        using var guest = new Guest(2048);
        using var other = new SyntheticImage(new SyntheticSettings(2048, Seed: 1 + otherSeed));
        using var remote = new RemoteImage(new ImageManifest(guest.Image), "elsewhere");
        var (_, migration) = Start(guest, [guest.Source()], guest.Memory, remote);

        // Everything has come but what it must be.
        var paused = FishForMessage<MigrationProgress>(p => p.State == MigrationState.Paused);
        Assert.Equal(PauseReasons.NotVerifiable, paused.Reason);
        Assert.Equal((2048UL, 4), (paused.PagesPresent, paused.FinishedVcpus));

        // Those of the image that was fetched, or of another one.
        using var digests = new ManifestSource(other);
        await new ManifestDownload(digests, other.Identity, TimeSpan.FromMilliseconds(1), TimeProvider.System).Fill(
            new ImageManifest(other),
            remote.Digests,
            CancellationToken.None
        );
        var report = FishForMessage<MigrationReport>(_ => true);
        Assert.Equal((MigrationState.Completed, isVerified), (report.State, report.IsVerified));
        Assert.Equal((report.Vcpus.Sum(v => v.Reads), 1), (report.ReadsChecked, report.Pauses.Count));
        Assert.True(report is { ReadsChecked: > 0, IsByDigests: true });
        Assert.Equal(isVerified, report.Verification!.Value.Wrong == 0);
        // The reads were made before anything was known of the image.
        Assert.Equal((0L, isVerified), (report.Vcpus.Sum(v => v.WrongReads), report.LateWrongReads == 0));
        Stop(migration);
    }

    [Fact]
    public async Task A_wrong_page_is_caught_by_the_guests_read_of_it_where_the_image_is_elsewhere()
    {
        using var guest = new Guest(2048);
        using var remote = new RemoteImage(new ImageManifest(guest.Image), "elsewhere");
        using var digests = new ManifestSource(guest.Image);
        await new ManifestDownload(
            digests,
            guest.Image.Identity,
            TimeSpan.FromMilliseconds(1),
            TimeProvider.System
        ).Fill(new ImageManifest(guest.Image), remote.Digests, CancellationToken.None);
        using var memory = new WrongMemory(guest.Memory, wrongAt: 700);
        var workload = new PatternWorkload(
            new PatternSettings(PatternKind.Sequential, 4, 2048) { InstructionsPerSecond = 0, WriteShare = 0 }
        );
        var (_, migration) = Start(guest, [guest.Source()], memory, remote, workload);
        var report = FishForMessage<MigrationReport>(_ => true);
        Assert.Equal((MigrationState.Completed, false), (report.State, report.IsVerified));
        // One of the four reads that page, once.
        Assert.Equal(
            (1L, 0L, 2048L),
            (report.Vcpus.Sum(v => v.WrongReads), report.LateWrongReads, report.ReadsChecked)
        );
        Assert.Equal(new MemoryPage(700), report.Verification!.Value.FirstWrong);
        Stop(migration);
    }

    private (IActorRef Pool, IActorRef Migration) Start(
        Guest guest,
        IReadOnlyList<Func<IPageSource>> sources,
        IGuestMemory memory,
        IMemoryImage? image = null,
        IWorkload? workload = null
    )
    {
        var settings = new MigrationSettings
        {
            Mode = FaultMode.Userfault,
            ProgressNs = 0,
            Fetcher = Quiet,
        };
        var plan = guest.Plan(new SchedulerTime(Sys.Scheduler), settings) with
        {
            Content = guest.Content with { Memory = memory, Image = image ?? guest.Image },
            Workload = workload ?? guest.Workload,
        };
        var pool = Sys.ActorOf(FetcherPoolActor.Props(Quiet));
        pool.Tell(new FetcherPoolProtocol.AddFetcher(0, sources));
        var migration = Sys.ActorOf(MigrationActor.Props(plan, pool, TestActor));
        migration.Tell(MigrationProtocol.Start.Instance);
        return (pool, migration);
    }

    private void Stop(IActorRef migration)
    {
        Watch(migration);
        Sys.Stop(migration);
        ExpectTerminated(migration);
    }

    // The true content, from the image.
    private static unsafe void Answer(Guest guest, Asked asked)
    {
        var batch = asked.Source.Pool.Rent(asked.Request.Id);
        foreach (var page in asked.Pages)
        {
            var bytes = guest.Image.Read(new MemoryPage(page), batch.TakeBuffer());
            batch.Add(
                bytes == null ? PageContent.Zero(new MemoryPage(page)) : PageContent.Of(new MemoryPage(page), bytes)
            );
        }

        asked.Answer(batch);
    }

    // Placing one page fails, once.
    private sealed class BrokenMemory(IGuestMemory inner, ulong failsAt) : IGuestMemory
    {
        private bool _hasFailed;

        public ulong Pages => inner.Pages;

        public Hva Base => inner.Base;

        public ulong CapacityBytes => inner.CapacityBytes;

        public void Place(in PageContent content)
        {
            if (content.Page.Value == failsAt && !_hasFailed)
            {
                _hasFailed = true;
                throw new InvalidOperationException("memory broke");
            }

            inner.Place(content);
        }

        public void Write(MemoryPage gfn, GuestStamp stamp, StampLedger ledger) => inner.Write(gfn, stamp, ledger);

        public ulong Read(MemoryPage gfn, int vcpu) => inner.Read(gfn, vcpu);

        public bool Matches(MemoryPage gfn, in PageContent expected, ulong delta) =>
            inner.Matches(gfn, expected, delta);

        public void Dispose() { }
    }

    // One word of one page goes wrong as it is placed, which no vCPU of four reads as its own.
    private sealed unsafe class WrongMemory(IGuestMemory inner, ulong wrongAt) : IGuestMemory
    {
        public ulong Pages => inner.Pages;

        public Hva Base => inner.Base;

        public ulong CapacityBytes => inner.CapacityBytes;

        public void Place(in PageContent content)
        {
            inner.Place(content);
            if (content.Page.Value == wrongAt)
                ((ulong*)((ByteGuestMemory)inner).PageAt(content.Page))[99] ^= 1;
        }

        public void Write(MemoryPage gfn, GuestStamp stamp, StampLedger ledger) => inner.Write(gfn, stamp, ledger);

        public ulong Read(MemoryPage gfn, int vcpu) => inner.Read(gfn, vcpu);

        public bool Matches(MemoryPage gfn, in PageContent expected, ulong delta) =>
            inner.Matches(gfn, expected, delta);

        public bool Matches(MemoryPage gfn, in PageDigest expected, ulong delta) => inner.Matches(gfn, expected, delta);

        public ulong FingerprintOf(MemoryPage gfn) => inner.FingerprintOf(gfn);

        public void Dispose() { }
    }
}
