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
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0], bytes[8..16]);
        Assert.Equal(_image.Identity, new ImageIdentity(bytes.AsSpan(16, 32)));
        Assert.Equal(1000ul, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(48)));
        Assert.Equal(2ul, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(56)));
        // +300 is 600 in zigzag, length 3; then from 303 back to 2: -301 is 601, length 1.
        Assert.Equal([0xd8, 0x04, 2, 0xd9, 0x04, 0], bytes[64..70]);
        Assert.Equal(Crc32C.Of(bytes.AsSpan(0, 70)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(70)));
        Assert.Equal(74, bytes.Length);
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
        WorkingSetFile.Save(_folder.At("set"), Recorded([1, 2, 3, 500, 400]));
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
            { "version", PagingError.WrongFormat, "version 2" },
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
        var path = _folder.At("none");
        if (defect != "missing")
        {
            WorkingSetFile.Save(path, Recorded([1]));
            var head = File.ReadAllBytes(path)[..64];
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
            head[56] = defect switch
            {
                "twice" => 2,
                "more" => 200,
                _ => 1,
            };
            if (defect == "version")
                head[8] = 2;
            var body =
                defect == "foreign"
                    ? "this is no such file, but it is long enough to be one if it were so inclined"u8.ToArray()
                    : [.. head, .. runs];
            var crc = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(crc, Crc32C.Of(body));
            File.WriteAllBytes(path, defect == "short" ? head[..20] : [.. body, .. crc]);
        }
        Expect.Refused(error, () => WorkingSetFile.Load(path, _image), path, words);
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_one_line() =>
        Expect.Refused(
            PagingError.FileMissing,
            () => WorkingSetFile.Save(_folder.At("no/such/folder"), Recorded([1])),
            "no/such/folder"
        );

    private static MemoryPageRange Run(ulong start, ulong count) => new(new MemoryPage(start), count);

    private WorkingSet Recorded(IEnumerable<ulong> pages)
    {
        using var recorder = new WorkingSetRecorder(_image.Pages);
        foreach (var page in pages)
            recorder.Touch(new MemoryPage(page));
        return recorder.ToWorkingSet(_image);
    }
}
