using System.Text.Json.Nodes;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Guests of a real QEMU that go on where they were saved.</summary>
[Collection(SavedGuestCollection.Name)]
public sealed class RestoreTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("")]
    [InlineData("--preempt")]
    [InlineData("--latency 200us")]
    public async Task A_guest_goes_on_where_it_was_saved(string options)
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(saved.Plain, to, options.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        await restore.Command.Line("resumed after");
        var report = await restore.EndAsync(0);
        Assert.Equal("completed", report.GetProperty("end").GetString());
        Assert.Equal(0, report.GetProperty("leftPages").GetInt32());
        Assert.True(report.GetProperty("resumedMs").GetDouble() > 0);
        Assert.InRange(
            report.GetProperty("demandedPages").GetInt32() + report.GetProperty("pushedPages").GetInt32(),
            report.GetProperty("contentPages").GetInt32(),
            int.MaxValue
        );
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task A_guest_goes_on_from_pages_at_fixed_offsets()
    {
        QemuProgram.MappedRamIsNeeded();
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(saved.MappedRam, to);
        await restore.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task A_destination_may_be_driven_by_hand()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        var address = $"unix:{_folder.At("s")}";
        await to.ListenAsync(address);
        using var restore = new RestoreProcess(_folder, saved.Plain, "--to", address);
        await restore.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_guest_goes_on_over_tcp(bool hasPreempt)
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        await to.ListenAsync("tcp:127.0.0.1:0", hasPreempt ? ["postcopy-preempt"] : []);
        var port = (await to.ExecuteAsync("query-migrate"))!["socket-address"]![0]!["port"];
        string[] preempt = hasPreempt ? ["--preempt"] : [];
        using var restore = new RestoreProcess(_folder, [saved.Plain, "--to", $"tcp:127.0.0.1:{port}", .. preempt]);
        await restore.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task Only_requested_pages_are_sent_until_it_is_stopped()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(saved.Plain, to, "--push", "none");
        await to.ChecksAsync(100);
        restore.Command.Interrupt();
        var report = await restore.EndAsync(130);
        Assert.Equal("stopped", report.GetProperty("end").GetString());
        Assert.Equal(0, report.GetProperty("pushedPages").GetInt32());
        Assert.True(report.GetProperty("demandedPages").GetInt32() > 100);
        // What the guest does not touch was not sent: the firmware's memory below 1 MiB.
        Assert.True(report.GetProperty("leftPages").GetInt32() > 0);
        await Eventually.Holds(async () => await to.MigrationAsync() == "postcopy-paused", () => to.Error);
        using var recovery = Restore(saved.Plain, to, "--recover");
        await recovery.EndAsync(0);
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task Push_is_held_to_its_rate()
    {
        const double BytesPerSecond = 16 << 20;
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(saved.Plain, to, "--push", "16M");
        var report = await restore.EndAsync(0);
        var pushed = report.GetProperty("pushedPages").GetInt32();
        var seconds = report.GetProperty("elapsedMs").GetDouble() / 1000;
        Assert.True(pushed > 0);
        Assert.True(report.GetProperty("demandedPages").GetInt32() > pushed / 4);
        // One section of 32 pages may be ahead of the rate.
        Assert.True((pushed - 32) * 4096 <= BytesPerSecond * seconds, $"{pushed} pages in {seconds} s");
        await to.IsCompleteAsync();
    }

    [SkippableFact]
    public async Task Memory_of_a_device_that_only_the_destination_has_reads_as_zeros()
    {
        QemuProgram.IsNeededAsDestination();
        await using var to = await saved.DestinationAsync(_folder, "to", "-device", "VGA");
        using var restore = Restore(saved.Plain, to, "--push", "none");
        await to.ChecksAsync(1);
        // The window of the old graphics modes.
        var picture = _folder.At("picture");
        var arguments = new JsonObject
        {
            ["val"] = 0xa0000,
            ["size"] = Mmu.Page.Size,
            ["filename"] = picture,
        };
        await to.ExecuteAsync("pmemsave", arguments).WaitAsync(Patience.Longest);
        Assert.Equal(new byte[Mmu.Page.Size], File.ReadAllBytes(picture));
        restore.Command.Interrupt();
        var report = await restore.EndAsync(130);
        var block = Assert.Single(report.GetProperty("foreignBlocks").EnumerateArray());
        Assert.EndsWith("vga.vram", block.GetString(), StringComparison.Ordinal);
        Assert.Equal(0, to.Bad);
    }

    [SkippableFact]
    public async Task A_recorded_working_set_is_sent_before_it_is_requested()
    {
        QemuProgram.IsNeededAsDestination();
        var recorded = _folder.At("recorded");
        var requested = new List<int>();
        foreach (var option in (string[])["--record", "--replay"])
        {
            await using var to = await saved.DestinationAsync(_folder, "to");
            using var restore = Restore(saved.Plain, to, "--push", "none", option, recorded);
            await to.ChecksAsync(200);
            restore.Command.Interrupt();
            requested.Add((await restore.EndAsync(130)).GetProperty("requestedPages").GetInt32());
            File.Delete(_folder.At("to.sock"));
        }
        Assert.True(requested[1] < requested[0] / 2, $"{requested[1]} requests, {requested[0]} without the recording");
    }

    [SkippableFact]
    public async Task A_guest_on_huge_pages_gets_them_whole()
    {
        QemuProgram.IsNeededAsDestination();
        using var pages = HugePages.Take(saved.RamMib / 2);
        string[] memory =
        [
            "-object",
            $"memory-backend-memfd,id=pc.ram,size={saved.RamMib}M,hugetlb=on,hugetlbsize=2M",
            "-machine",
            "memory-backend=pc.ram",
        ];
        await using (var to = await saved.DestinationAsync(_folder, "small", memory))
        {
            using var refused = Restore(saved.Plain, to, "--qemu-log", to.LogPath);
            await refused.FailureAsync("page sizes", "--huge-pages");
        }

        await using (var to = await saved.DestinationAsync(_folder, "huge", memory))
        {
            using var restore = Restore(saved.Plain, to, "--huge-pages", "pc.ram=2M");
            await restore.EndAsync(0);
            await to.IsCompleteAsync();
        }
    }

    [SkippableFact]
    public async Task Ten_guests_go_on_from_one_file()
    {
        const int Guests = 10;
        QemuProgram.IsNeededAsDestination();
        var all = new List<QemuProcess>();
        try
        {
            var args = new List<string>();
            for (var i = 0; i < Guests; i++)
            {
                all.Add(await saved.DestinationAsync(_folder, $"{i}"));
                args.AddRange(["--to", $"unix:{_folder.At($"{i}.sock")}", "--qmp", all[i].QmpPath]);
            }

            using var restore = new RestoreProcess(_folder, [saved.Plain, .. args]);
            Assert.True(await restore.Command.End() == 0, restore.Command.All());
            Assert.Equal(Guests, restore.Guests().Count);
            foreach (var guest in restore.Guests())
            {
                Assert.Equal("completed", guest.GetProperty("end").GetString());
                Assert.Equal(0, guest.GetProperty("leftPages").GetInt32());
            }
            foreach (var to in all)
            {
                await to.IsCompleteAsync(50);
                // The others have more of the processors then.
                await to.DisposeAsync();
            }
        }
        finally
        {
            foreach (var to in all)
                await to.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task A_guest_finds_a_page_that_is_not_its_own()
    {
        // The tests' own check: without it, no bad page would ever be found.
        QemuProgram.IsNeededAsDestination();
        var file = _folder.At("changed.mig");
        var bytes = File.ReadAllBytes(saved.Plain);
        var page = new byte[Mmu.Page.Size];
        GuestRom.Fill(0x800, 0, page);
        // Behind the first dword, in which the guest's writes are counted.
        var at = bytes.AsSpan().LastIndexOf(page.AsSpan(4));
        Assert.True(at > 0);
        bytes[at + 1000]++;
        File.WriteAllBytes(file, bytes);
        await using var to = await saved.DestinationAsync(_folder);
        using var restore = Restore(file, to);
        await restore.EndAsync(0);
        await Eventually.Holds(() => to.Bad > 0, () => to.Error);
    }

    private RestoreProcess Restore(string file, QemuProcess to, params string[] more) =>
        new(_folder, [file, "--to", $"unix:{_folder.At("to.sock")}", "--qmp", to.QmpPath, .. more]);
}
