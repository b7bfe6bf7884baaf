using System.Buffers.Binary;
using Userfault.Tests;

namespace Userfault.Pages.Tests.WorkingSets;

public sealed class WorkingSetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SyntheticImage _image = new(new SyntheticSettings(1000, Seed: 5));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void First_touches_are_kept_in_order_as_runs()
    {
        using var recorder = new WorkingSetRecorder(1000);
        foreach (var page in new ulong[] { 5, 6, 7, 6, 5, 100, 8, 9, 99, 999, 0 })
            recorder.Touch(new MemoryPage(page));
        var set = recorder.ToWorkingSet(_image);
        Assert.Equal([Run(5, 3), Run(100, 1), Run(8, 2), Run(99, 1), Run(999, 1), Run(0, 1)], set.Runs);
        Assert.Equal(9ul, set.TouchedPages);
        Assert.Equal(_image.Identity, set.Image);
        Assert.Throws<ArgumentOutOfRangeException>(() => recorder.Touch(new MemoryPage(1000)));
    }

    [Fact]
    public void A_saved_set_is_loaded_again_and_nothing_else_is_left_behind()
    {
        var set = Recorded(Enumerable.Range(0, 900).Select(static i => (ulong)(i * 7919 % 1000)));
        WorkingSetFile.Save(_folder.At("set"), Recorded([1]));
        WorkingSetFile.Save(_folder.At("set"), set);
        var loaded = WorkingSetFile.Load(_folder.At("set"), _image);
        Assert.Equal(set.Runs, loaded.Runs);
        Assert.Equal(["set"], _folder.Names());
    }

    [Fact]
    public void The_bytes_are_as_documented()
    {
        WorkingSetFile.Save(_folder.At("set"), Recorded([300, 301, 302, 2]));
        var bytes = File.ReadAllBytes(_folder.At("set"));
        Assert.Equal("UFWSET\r\n"u8.ToArray(), bytes[..8]);
        Assert.Equal([2, 0, 0, 0, 0, 0, 0, 0], bytes[8..16]);
        Assert.Equal(_image.Identity, new ImageIdentity(bytes.AsSpan(16, 32)));
        Assert.Equal(1000ul, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(48)));
        Assert.Equal(2ul, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(56)));
        Assert.Equal(92ul, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(64)));
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0], bytes[72..80]);
        // +300 is 600 in zigzag, length 3; then from 303 back to 2: -301 is 601, length 1. No rank, as often as usual.
        Assert.Equal([0xd8, 0x04, 2, 0, 0xd9, 0x04, 0, 0], bytes[80..88]);
        Assert.Equal(Crc32C.Of(bytes.AsSpan(0, 88)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(88)));
        Assert.Equal(92, bytes.Length);
    }

    [Fact]
    public void The_bytes_of_a_merged_set_are_as_documented()
    {
        var set = new WorkingSet(
            _image.Identity,
            1000,
            [new WorkingSetEntry(Run(7, 2), 5, 98304, 2, 0), new WorkingSetEntry(Run(3, 1), 4, 32768, 1, 1)],
            recordings: 2,
            generation: 1
        );
        WorkingSetFile.Save(_folder.At("set"), set);
        var bytes = File.ReadAllBytes(_folder.At("set"));
        Assert.Equal([2, 0, 0, 0, 1, 0, 0, 0], bytes[72..80]);
        // From 0 to 7, two pages, both; rank +5; weight 1.5 recordings, twice, age 0.
        Assert.Equal([14, 1, 3, 10, 0x80, 0x80, 6, 1, 0], bytes[80..89]);
        // From 9 back to 3, one page, both; rank 4 where 7 would follow: -3; weight 0.5, once, age 1.
        Assert.Equal([11, 0, 3, 5, 0x80, 0x80, 2, 0, 1], bytes[89..98]);
        var loaded = WorkingSetFile.Load(_folder.At("set"), _image);
        Assert.Equal(set.Entries, loaded.Entries);
        Assert.Equal((2u, 1u, 3ul), (loaded.Recordings, loaded.Generation, loaded.TouchedPages));
    }

    [Fact]
    public void A_file_of_version_1_is_one_recording()
    {
        // Pages 300 to 302, then 2; written by hand.
        byte[] runs = [0xd8, 0x04, 2, 0xd9, 0x04, 0];
        var set = WorkingSetFile.Load(FirstVersion(2, runs), _image);
        Assert.Equal([Run(300, 3), Run(2, 1)], set.Runs);
        Assert.Equal((1u, 0u, 4ul), (set.Recordings, set.Generation, set.TouchedPages));
        Assert.Equal([(0ul, 1u), (3ul, 1u)], set.Entries.Select(static e => (e.Rank, e.Times)));
        var whole = File.ReadAllBytes(_folder.At("first"));
        for (var i = 0; i < whole.Length; i++)
            Assert.Throws<PagingException>(() => WorkingSetFile.Read(_folder.Write("bad", whole.AsSpan(0, i))));
    }

    [Fact]
    public void An_empty_set_is_a_set()
    {
        WorkingSetFile.Save(_folder.At("set"), Recorded([]));
        Assert.Empty(WorkingSetFile.Load(_folder.At("set"), _image).Runs);
    }

    [Fact]
    public void A_set_of_another_image_is_refused()
    {
        WorkingSetFile.Save(_folder.At("set"), Recorded([1, 2, 3]));
        using var other = new SyntheticImage(new SyntheticSettings(1000, Seed: 6));
        Expect.Refused(
            PagingError.ForeignImage,
            () => WorkingSetFile.Load(_folder.At("set"), other),
            _folder.At("set"),
            _image.Identity.Short,
            other.Identity.Short,
            "record it again"
        );
    }

    [Fact]
    public void A_file_cut_or_changed_anywhere_is_refused()
    {
        var one = ("one", Recorded([1, 2, 3, 500, 400]));
        WorkingSetFile.Save(_folder.At("set"), new WorkingSetMerge().Of([one, ("two", Recorded([3, 500, 7]))]));
        var whole = File.ReadAllBytes(_folder.At("set"));
        for (var i = 0; i < whole.Length; i++)
        {
            var cut = _folder.Write("bad", whole.AsSpan(0, i));
            Assert.Throws<PagingException>(() => WorkingSetFile.Load(cut, _image));
            var changed = (byte[])whole.Clone();
            changed[i] ^= 0x10;
            var path = _folder.Write("bad", changed);
            Assert.Throws<PagingException>(() => WorkingSetFile.Load(path, _image));
        }
        Assert.Throws<PagingException>(() => WorkingSetFile.Load(_folder.Write("bad", [.. whole, 0]), _image));
    }

    public static TheoryData<string, PagingError, string> Defects =>
        new()
        {
            { "missing", PagingError.FileMissing, "no such file" },
            { "foreign", PagingError.WrongFormat, "not a working set" },
            { "version", PagingError.WrongFormat, "version 3" },
            { "short", PagingError.Truncated, "truncated" },
            { "twice", PagingError.Corrupt, "names a page twice" },
            { "outside", PagingError.Corrupt, "outside the image" },
            { "negative", PagingError.Corrupt, "outside the image" },
            { "more", PagingError.Corrupt, "counts more runs" },
            { "half", PagingError.Corrupt, "is not whole" },
            { "endless", PagingError.Corrupt, "is not whole" },
            { "behind", PagingError.Corrupt, "goes on behind" },
        };

    // Files made to hurt: their checksums are right.
    [Theory]
    [MemberData(nameof(Defects))]
    public void A_hostile_file_is_refused_by_name(string defect, PagingError error, string words)
    {
        byte[] runs = defect switch
        {
            "twice" => [10, 3, 1, 0],
            "outside" => [0xd0, 0x0f, 0],
            "negative" => [1, 0],
            "half" => [10, 0x80],
            "endless" => [.. Enumerable.Repeat((byte)0x80, 12), 0],
            "behind" => [10, 0, 10, 0],
            _ => [10, 0],
        };
        var path = defect == "missing" ? _folder.At("none") : FirstVersion(defect, runs);
        Expect.Refused(error, () => WorkingSetFile.Load(path, _image), path, words);
    }

    public static TheoryData<string, string> MergedDefects =>
        new()
        {
            { "no recording", "of no recording" },
            { "length", "another length" },
            { "what", "is not whole" },
            { "half", "is not whole" },
            { "twice", "names a page twice" },
            { "rank", "as no page can be" },
            { "rank of the last", "as no page can be" },
            { "never", "as no page can be" },
            { "heavy", "as no page can be" },
            { "too often", "as no page can be" },
            { "times", "is not whole" },
            { "too old", "as no page can be" },
            { "image", "too large" },
        };

    // Page 7 in a file of version 2, of two recordings, with a checksum that is right.
    [Theory]
    [MemberData(nameof(MergedDefects))]
    public void A_hostile_merged_file_is_refused_by_name(string defect, string words)
    {
        byte[] entries = defect switch
        {
            "what" => [14, 0, 4],
            "half" => [14, 0, 2, 1, 0],
            "twice" => [14, 0, 0, 1, 0, 0],
            "rank" => [14, 0, 1, 0xd0, 0x0f],
            "rank of the last" => [14, 1, 1, 0xce, 0x0f],
            "never" => [14, 0, 2, 0, 0, 0],
            "heavy" => [14, 0, 2, 0x81, 0x80, 4, 0, 0],
            "too often" => [14, 0, 2, 1, 2, 0],
            "times" => [14, 0, 2, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0],
            "too old" => [14, 0, 2, 1, 0, 2],
            _ => [14, 0, 0],
        };
        var path = Version2(defect, entries);
        Expect.Refused(PagingError.Corrupt, () => WorkingSetFile.Read(path), path, words);
        // The same file without the defect is one.
        Assert.Equal(1ul, WorkingSetFile.Load(Version2("none", [14, 0, 2, 1, 0, 1]), _image).TouchedPages);
    }

    [Fact]
    public void Any_bytes_behind_a_right_head_are_read_or_refused()
    {
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var body = new byte[random.Next(40)];
            random.NextBytes(body);
            for (var at = 0; at < body.Length; at++)
            {
                if (random.Next(3) > 0)
                    body[at] &= 3;
            }

            WorkingSet set;
            try
            {
                set = WorkingSetFile.Read(Version2("none", body, (ulong)random.Next(8)));
            }
            catch (PagingException)
            {
                continue;
            }

            Assert.Equal(set.Entries, WorkingSetFormat.Read("again", WorkingSetFormat.Write(set)).Entries);
            Assert.True(set.TouchedPages <= set.ImagePages);
        }
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_one_line() =>
        Expect.Refused(
            PagingError.FileMissing,
            () => WorkingSetFile.Save(_folder.At("no/such/folder"), Recorded([1])),
            "no/such/folder"
        );

    private string FirstVersion(string defect, byte[] runs)
    {
        var path = FirstVersion(
            (ulong)(
                defect == "more" ? 200
                : defect == "twice" ? 2
                : 1
            ),
            runs
        );
        var bytes = File.ReadAllBytes(path);
        if (defect == "version")
            bytes[8] = 3;
        if (defect == "version")
            bytes = [.. bytes, .. new byte[20]];
        if (defect == "foreign")
            bytes = "this is no such file, but it is long enough to be one if it were so inclined"u8.ToArray();
        return _folder.Write("first", defect == "short" ? bytes.AsSpan(0, 20) : bytes);
    }

    private string FirstVersion(ulong count, byte[] runs)
    {
        var head = new byte[64];
        "UFWSET\r\n"u8.CopyTo(head);
        head[8] = 1;
        _image.Identity.WriteTo(head.AsSpan(16));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(48), 1000);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(56), count);
        return Sealed("first", [.. head, .. runs]);
    }

    private string Version2(string defect, byte[] entries, ulong? count = null)
    {
        var head = new byte[80];
        "UFWSET\r\n"u8.CopyTo(head);
        head[8] = 2;
        _image.Identity.WriteTo(head.AsSpan(16));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(48), defect == "image" ? 1UL << 41 : 1000);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(56), count ?? (defect == "twice" ? 2UL : 1));
        BinaryPrimitives.WriteUInt64LittleEndian(
            head.AsSpan(64),
            (ulong)(head.Length + entries.Length + (defect == "length" ? 5 : 4))
        );
        head[72] = (byte)(defect == "no recording" ? 0 : 2);
        return Sealed("second", [.. head, .. entries]);
    }

    private string Sealed(string name, byte[] body)
    {
        var crc = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, Crc32C.Of(body));
        return _folder.Write(name, [.. body, .. crc]);
    }

    private static MemoryPageRange Run(ulong start, ulong count) => new(new MemoryPage(start), count);

    private WorkingSet Recorded(IEnumerable<ulong> pages)
    {
        using var recorder = new WorkingSetRecorder(_image.Pages);
        foreach (var page in pages)
            recorder.Touch(new MemoryPage(page));
        return recorder.ToWorkingSet(_image);
    }
}
