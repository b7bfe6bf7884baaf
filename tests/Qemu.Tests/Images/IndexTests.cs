using System.Buffers.Binary;
using System.Diagnostics;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// The index of a plain stream spares the next start the pass over the file, and is never believed where it could be
/// wrong.
/// </summary>
public sealed unsafe class IndexTests : IDisposable
{
    private const ulong Pages = 3000;
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public IndexTests() => _path = _folder.Write("vm.mig", StreamBuilder.Small(Pages).Bytes);

    private string IndexPath => _path + ".index";

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void The_second_start_finds_what_the_first_has_kept()
    {
        RequireStamps();
        Assert.Equal(IndexState.Made, Check());
        Assert.Equal(["vm.mig", "vm.mig.index"], _folder.Names());
        Assert.Equal(IndexState.Found, Check());
        File.Delete(IndexPath);
        Assert.Equal(IndexState.Made, Check());
    }

    /// <summary>What the reader notes on its way over the pages is noted in the index as well.</summary>
    [SkippableFact]
    public void A_stream_is_the_same_by_its_index()
    {
        RequireStamps();
        var path = _folder.Write(
            "ten",
            StreamBuilder
                .Of("pc-i440fx-10.0")
                .StartOfRam(("pc.ram", 3 * 4096), ("vga.vram", 4096))
                .Part()
                .Page(1, "pc.ram", 1)
                .EndOfPart()
                .Command(11)
                .EndOfRam()
                .Device("cpu", 3)
                .Eof("cpu")
                .Bytes
        );
        using var made = Open(path);
        using var found = Open(path);
        Assert.Equal((IndexState.Made, IndexState.Found), (made.IndexState, found.IndexState));
        Assert.Equal(
            made.Stream with
            {
                Blocks = [],
                Configuration = default,
            },
            found.Stream with
            {
                Blocks = [],
                Configuration = default,
            }
        );
        Assert.Equal(made.Stream.Blocks, found.Stream.Blocks);
        Assert.Equal(made.Stream.Configuration.ToArray(), found.Stream.Configuration.ToArray());
        Assert.True(found.Stream.HasSwitchoverStart);
        Assert.Equal((1UL, made.Identity), (found.ContentPages, found.Identity));
        Assert.Equal(made.Devices(), found.Devices());
    }

    [SkippableFact]
    public void Mapped_ram_needs_none()
    {
        using var image = Open(_folder.Write("mapped", MappedStream.Of(0).Bytes));
        Assert.Equal(IndexState.NotNeeded, image.IndexState);
        Assert.Equal(["mapped", "vm.mig"], _folder.Names());
    }

    /// <summary>It may be written to again within the same tick of its clock.</summary>
    [SkippableFact]
    public void A_file_that_was_changed_just_now_keeps_none()
    {
        RequireStamps();
        // However slow the machine: by this clock the file was changed in the future.
        using var image = QemuImage.Open(_path, new IndexSettings(null, new ShiftedTime(TimeSpan.FromHours(-1))));
        Assert.Equal(IndexState.NotKept, image.IndexState);
        Assert.Equal(["vm.mig"], _folder.Names());
    }

    [SkippableFact]
    public void The_index_of_a_file_that_was_changed_is_made_anew()
    {
        RequireStamps();
        Assert.Equal(IndexState.Made, Check());
        var before = File.GetLastWriteTimeUtc(_path);
        // The same size and time, and pages elsewhere.
        var bytes = StreamBuilder.Of("pc-i440fx-7.2").StartOfRam(("pc.ram", Pages * 4096)).Part();
        for (ulong page = 0; page < Pages; page++)
        {
            if (page % 2 == 0)
                bytes.Page(page, "pc.ram", (byte)(page + 100));
            else
                bytes.Zero(page, "pc.ram");
        }

        bytes.EndOfPart().EndOfRam().Device("timer", 0).Device("cpu", 1).Eof("timer", "cpu");
        Assert.Equal(new FileInfo(_path).Length, bytes.Length);
        using (var file = File.OpenWrite(_path))
            file.Write(bytes.Bytes);
        File.SetLastWriteTimeUtc(_path, before);

        using var image = Open(_path);
        Assert.Equal(IndexState.Made, image.IndexState);
        Assert.Equal((100, 102), (*image.Read(new MemoryPage(0), null), *image.Read(new MemoryPage(2), null)));
        Assert.True(image.IsZero(new MemoryPage(1)));
    }

    [SkippableFact]
    public void The_index_of_another_file_is_none_of_this()
    {
        RequireStamps();
        var other = _folder.Write("copy", File.ReadAllBytes(_path));
        File.SetLastWriteTimeUtc(other, File.GetLastWriteTimeUtc(_path));
        using (Open(other)) { }

        File.Move(other + ".index", IndexPath);
        Assert.Equal(IndexState.Made, Check());
    }

    /// <summary>Where others may write, they could say which page is which.</summary>
    [SkippableFact]
    public void The_index_of_another_user_is_not_believed()
    {
        RequireStamps();
        Skip.IfNot(Environment.IsPrivilegedProcess, "only root gives files away");
        Assert.Equal(IndexState.Made, Check());
        using (var chown = Process.Start("chown", ["12345", IndexPath]))
        {
            chown.WaitForExit();
            Skip.IfNot(chown.ExitCode == 0, "files cannot be given away here");
        }

        Assert.Equal(IndexState.Made, Check());
        Assert.Equal(IndexState.Found, Check());
    }

    [SkippableFact]
    public void A_folder_that_cannot_be_written_to_has_its_indexes_in_the_cache()
    {
        RequireStamps();
        Directory.CreateDirectory(IndexPath);
        var cache = _folder.At("cache/of/mine");
        Assert.Equal(IndexState.Made, Check(cache));
        Assert.Single(Directory.GetFiles(cache));
        Assert.Equal(IndexState.Found, Check(cache));
        Assert.Equal(["vm.mig"], _folder.Names());

        Assert.Equal(IndexState.NotKept, Check());
        Assert.Equal(IndexState.NotKept, Check(_folder.Write("file", "no folder")));
    }

    [SkippableFact]
    public void A_stream_that_is_refused_leaves_none()
    {
        RequireStamps();
        File.WriteAllBytes(_path, File.ReadAllBytes(_path)[..^1]);
        Assert.Throws<StreamException>(() => Open(_path).Dispose());
        Assert.Equal(["vm.mig"], _folder.Names());
    }

    /// <summary>Header, bitmap and sums are checked at once, offsets when they are used.</summary>
    [SkippableFact]
    public void A_damaged_index_changes_no_page()
    {
        RequireStamps();
        Assert.Equal(IndexState.Made, Check());
        var good = File.ReadAllBytes(IndexPath);
        var layout = new IndexLayout(Pages);
        Assert.Equal(layout.Bytes, (ulong)good.Length);
        for (ulong at = 0; at < layout.Bytes; at += at < 128 ? 1UL : 61)
        {
            var bytes = (byte[])good.Clone();
            bytes[at] ^= 0x10;
            File.WriteAllBytes(IndexPath, bytes);
            Assert.Equal(at < layout.Offsets ? IndexState.Made : IndexState.Found, Check());
        }

        foreach (var length in new[] { 0, 1, 4096, good.Length - 1 })
        {
            File.WriteAllBytes(IndexPath, good[..length]);
            Assert.Equal(IndexState.Made, Check());
        }
    }

    /// <summary>What a forger can do, who knows how sums are made: nothing outside the file is touched.</summary>
    [SkippableTheory]
    [InlineData(0UL)]
    [InlineData(1UL << 30)]
    [InlineData(ulong.MaxValue)]
    [InlineData(ulong.MaxValue - 4095)]
    public void Offsets_outside_the_file_are_not_followed(ulong offset)
    {
        RequireStamps();
        Assert.Equal(IndexState.Made, Check());
        var bytes = File.ReadAllBytes(IndexPath);
        IndexForgery.SetOffset(bytes, Pages, page: 2049, offset);
        File.WriteAllBytes(IndexPath, bytes);
        Assert.Equal(IndexState.Found, Check());
        // Made while it was read, and kept.
        Assert.NotEqual(bytes, File.ReadAllBytes(IndexPath));
        Assert.Equal(IndexState.Found, Check());
    }

    /// <summary>The first who meets the damage makes the index anew; the others wait, or have it already.</summary>
    [SkippableFact]
    public void Several_threads_may_meet_a_damaged_index()
    {
        RequireStamps();
        Assert.Equal(IndexState.Made, Check());
        var bytes = File.ReadAllBytes(IndexPath);
        for (ulong page = 1; page < Pages; page += 512)
            IndexForgery.SetOffset(bytes, Pages, page, ulong.MaxValue);
        File.WriteAllBytes(IndexPath, bytes);
        using var image = Open(_path);
        Assert.Equal(IndexState.Found, image.IndexState);
        var wrong = 0;
        var threads = Enumerable
            .Range(0, 4)
            .Select(_ => new Thread(() =>
            {
                for (ulong page = 1; page < Pages; page += 2)
                {
                    if (*image.Read(new MemoryPage(page), null) != (byte)page)
                        Interlocked.Increment(ref wrong);
                }
            }))
            .ToList();
        threads.ForEach(static t => t.Start());
        threads.ForEach(static t => t.Join());
        Assert.Equal(0, wrong);
    }

    [SkippableTheory]
    [InlineData(0UL)]
    [InlineData(100UL)]
    [InlineData(ulong.MaxValue)]
    public void An_end_of_the_pages_where_none_can_be_is_not_believed(ulong end)
    {
        RequireStamps();
        Assert.Equal(IndexState.Made, Check());
        var bytes = File.ReadAllBytes(IndexPath);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), end);
        IndexForgery.Sum(bytes, Pages);
        File.WriteAllBytes(IndexPath, bytes);
        Assert.Equal(IndexState.Made, Check());
    }

    private static void RequireStamps() => Skip.IfNot(OperatingSystem.IsLinux(), "files have stamps on Linux alone");

    private static QemuImage Open(string path, string? cache = null) =>
        QemuImage.Open(path, new IndexSettings(cache, new ShiftedTime(TimeSpan.FromHours(1))));

    // Opens the stream, looks at every page, and tells where its index came from.
    private IndexState Check(string? cache = null)
    {
        using var image = Open(_path, cache);
        Assert.Equal((Pages, Pages / 2), (image.Pages, image.ContentPages));
        for (ulong page = 0; page < Pages; page++)
        {
            var content = image.Read(new MemoryPage(page), null);
            Assert.Equal(page % 2 == 0, content == null);
            Assert.True(content == null || (content[0] == (byte)page && content[4095] == (byte)page));
        }

        return image.IndexState;
    }

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + shift;
    }
}
