using System.IO.Compression;
using System.Text;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Streams;

public sealed class TraceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_sample_is_read_to_its_last_row()
    {
        var trace = TraceWorkload.Load(Sample(), 32768);
        Assert.Equal(4, trace.Vcpus);
        // Counted with zcat, cut, sort and wc.
        Assert.Equal(24919ul, trace.Stats.Rows);
        Assert.Equal(7565ul, trace.Stats.DistinctPages);
        Assert.Equal(new Gfn(0x7fdb), trace.Stats.HighestGfn);
        Assert.Equal(0x7fdcul, trace.Pages);
        Assert.Equal(trace.Stats.Rows, trace.Stats.Reads + trace.Stats.Writes + trace.Stats.Executes);
        var first = trace.Open(0);
        Assert.True(first.TryNext(out var access));
        Assert.Equal(new GuestAccess(new Gfn(0x4a63), Access.Execute, 0), access);
        Assert.True(first.TryNext(out access));
        Assert.Equal(new GuestAccess(new Gfn(0x4b56), Access.Execute, 2), access);
    }

    [Theory]
    [InlineData(1_000_000_000, 5L, 2_000_000_000L)]
    [InlineData(2_000_000_000, 2L, 1_000_000_000L)]
    [InlineData(0, 0L, 0L)]
    public void Instructions_become_time(long ips, long firstNs, long secondNs)
    {
        var stream = TraceWorkload.Load(Text("0,5,1,R\n0,2000000000,2,W\n"), 16, ips).Open(0);
        Assert.Equal([firstNs, secondNs], All(stream).Select(static a => a.DueNs));
        Assert.False(stream.TryNext(out _));
    }

    [Fact]
    public void Time_past_the_clock_stays_at_its_end()
    {
        var trace = TraceWorkload.Load(Text("0,18446744073709551615,1,R\n"), 16, 1);
        Assert.Equal(long.MaxValue, All(trace.Open(0)).Single().DueNs);
    }

    [Fact]
    public void Comments_blank_lines_and_other_line_ends_are_taken_and_streams_start_anew()
    {
        var trace = TraceWorkload.Load(
            Text("# a header\r\n\r\n2,1,A,R\r\n#" + new string('x', 3000) + "\n2,1,f,W\n0,0,0,X"),
            16
        );
        Assert.Equal(3, trace.Vcpus);
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal(
                [new GuestAccess(new Gfn(10), Access.Read, 1), new GuestAccess(new Gfn(15), Access.Write, 1)],
                All(trace.Open(2))
            );
        }
        Assert.Empty(All(trace.Open(1)));
        Assert.Equal(1ul, trace.Open(0).Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => trace.Open(3));
    }

    [Fact]
    public void Rows_beyond_a_buffer_are_whole()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 50000; i++)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{i % 7},{i},{i:x},R\n");
        var trace = TraceWorkload.Load(Gzip(text.ToString()), 50000);
        Assert.Equal(50000ul, trace.Stats.Rows);
        Assert.Equal(50000ul, trace.Stats.DistinctPages);
        for (var vcpu = 0; vcpu < 7; vcpu++)
            Assert.All(All(trace.Open(vcpu)), a => Assert.Equal(a.Gfn.Value, (ulong)a.DueNs));
    }

    public static TheoryData<string, PagingError, string> Defects =>
        new()
        {
            { "0,1,2,Q", PagingError.BadTraceLine, "bad kind" },
            { "0,1,2,", PagingError.BadTraceLine, "bad kind" },
            { "0,1,2,RW", PagingError.BadTraceLine, "bad kind" },
            { "0,1,2,R,", PagingError.BadTraceLine, "bad kind" },
            { "0,1,2", PagingError.BadTraceLine, "nothing follows gfn" },
            { "0,1", PagingError.BadTraceLine, "nothing follows instructions" },
            { "0", PagingError.BadTraceLine, "nothing follows vcpu" },
            { "0,1,0x2,R", PagingError.BadTraceLine, "bad gfn" },
            { "0,1,g,R", PagingError.BadTraceLine, "bad gfn" },
            { "0,1,,R", PagingError.BadTraceLine, "no gfn" },
            { ",1,2,R", PagingError.BadTraceLine, "no vcpu" },
            { "-1,1,2,R", PagingError.BadTraceLine, "bad vcpu" },
            { " 0,1,2,R", PagingError.BadTraceLine, "bad vcpu" },
            { "a,1,2,R", PagingError.BadTraceLine, "bad vcpu" },
            { "65536,1,2,R", PagingError.BadTraceLine, "vCPU numbers end at 65535" },
            { "0,18446744073709551616,2,R", PagingError.BadTraceLine, "bad instructions" },
            { "0,1,10000000000000000,R", PagingError.BadTraceLine, "bad gfn" },
            { "0,1,10,R", PagingError.OutsideMemory, "gfn 0x10" },
            { "0,1,ffffffffffffffff,R", PagingError.OutsideMemory, "outside the guest's 16 pages" },
            { "1,4,2,R", PagingError.BadTraceLine, "vcpu 1 goes back from instruction 5 to 4" },
        };

    [Theory]
    [MemberData(nameof(Defects))]
    public void A_bad_line_is_named_with_file_line_and_mend(string line, PagingError error, string words)
    {
        var path = Text($"# header\n1,5,1,R\n{line}\n0,0,0,R\n");
        Expect.Refused(error, () => TraceWorkload.Load(path, 16), $"{path}: line 3", words);
    }

    [Fact]
    public void What_is_no_trace_is_refused()
    {
        Expect.Refused(PagingError.FileMissing, () => TraceWorkload.Load(_folder.At("none"), 16), "no such file");
        Expect.Refused(PagingError.FileUnusable, () => TraceWorkload.Load(Path.GetTempPath(), 16), "directory");
        Expect.Refused(PagingError.BadTraceLine, () => TraceWorkload.Load(Text(""), 16), "no accesses");
        Expect.Refused(
            PagingError.BadTraceLine,
            () => TraceWorkload.Load(Text("# only a header\n"), 16),
            "no accesses"
        );
        Expect.Refused(
            PagingError.BadTraceLine,
            () => TraceWorkload.Load(Text(new string('1', 1 << 17)), 16),
            "line 1",
            "too long"
        );
        Expect.Refused(
            PagingError.BadOption,
            () => TraceWorkload.Load(Text("0,0,0,R"), 16, -1),
            "instructions per second"
        );
    }

    [Fact]
    public void Gzip_cut_at_any_byte_is_refused()
    {
        var whole = File.ReadAllBytes(Gzip("# header\n0,5,1,R\n0,7,2,W\n1,1,3,X\n"));
        for (var length = 2; length < whole.Length; length++)
        {
            var path = _folder.Write("cut.gz", whole.AsSpan(0, length));
            Expect.Refused(PagingError.Truncated, () => TraceWorkload.Load(path, 16), path, "gzip");
        }
        // One byte is no gzip: it is a short text.
        Expect.Refused(
            PagingError.BadTraceLine,
            () => TraceWorkload.Load(_folder.Write("cut.gz", whole.AsSpan(0, 1)), 16)
        );
    }

    [Fact]
    public void Gzip_of_several_members_is_read_to_the_end_of_the_last()
    {
        var first = File.ReadAllBytes(Gzip("0,5,1,R\n0,7,"));
        var second = File.ReadAllBytes(Gzip("2,W\n1,1,3,X\n"));
        byte[] whole = [.. first, .. second];
        var trace = TraceWorkload.Load(_folder.Write("two.gz", whole), 16);
        Assert.Equal((2, 3UL), (trace.Vcpus, trace.Stats.Rows));
        for (var length = 2; length < whole.Length; length++)
        {
            // What ends with the first member is a whole file, whose last line is short.
            var error = length == first.Length ? PagingError.BadTraceLine : PagingError.Truncated;
            Expect.Refused(error, () => TraceWorkload.Load(_folder.Write("cut.gz", whole.AsSpan(0, length)), 16));
        }
    }

    [Fact]
    public void One_row_of_the_last_vcpu_is_one_vcpu()
    {
        Assert.Equal(1, TraceWorkload.Load(Text("65535,10,1,R\n"), 16).Vcpus);
        var two = TraceWorkload.Load(Text("65535,10,1,R\n300,10,2,W\n"), 16);
        Assert.Equal(2, two.Vcpus);
        Assert.Equal(2UL, Assert.Single(All(two.Open(0))).Gfn.Value);
        // A guest may have vCPUs that do nothing.
        Assert.Equal(257, TraceWorkload.Load(Text("256,10,1,R\n"), 16).Vcpus);
        Assert.Equal(1, TraceWorkload.Load(Text("257,10,1,R\n"), 16).Vcpus);
    }

    [Fact]
    public void Lines_may_end_as_windows_ends_them()
    {
        var trace = TraceWorkload.Load(Text("# made elsewhere\r\n0,10,1,R\r\n\r\n1,10,2,W\r\n"), 16);
        Assert.Equal((2, 2UL), (trace.Vcpus, trace.Stats.Rows));
    }

    [SkippableFact]
    public void A_pipe_is_refused_and_not_waited_for()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "pipes with a name are made by mkfifo");
        var path = Special.Pipe(_folder.At("pipe"));
        Expect.Refused(PagingError.FileUnusable, () => TraceWorkload.Load(path, 16), path, "pipe");
    }

    [Fact]
    public void A_flipped_bit_in_the_sample_never_passes_and_never_throws_anything_else()
    {
        var whole = File.ReadAllBytes(Sample());
        var random = new Random(7);
        for (var round = 0; round < 60; round++)
        {
            var bytes = (byte[])whole.Clone();
            // Behind the header, whose name and time fields mean nothing.
            var at = random.Next(40, bytes.Length);
            bytes[at] ^= (byte)(1 << random.Next(8));
            var path = _folder.Write("flipped.gz", bytes);
            Assert.Throws<PagingException>(() => TraceWorkload.Load(path, 32768));
        }
    }

    [Fact]
    public void Hostile_text_is_read_or_refused_and_nothing_else()
    {
        var random = new Random(8);
        var alphabet = "0123456789abcdefRWX,,,,\n\n#\r\0\u00ff -+x"u8.ToArray();
        int read = 0,
            refused = 0;
        for (var round = 0; round < 1500; round++)
        {
            var bytes =
                round % 2 == 0 ? Encoding.ASCII.GetBytes("0,1,2,R\n1,2,3,W\n0,9,a,X\n") : new byte[random.Next(200)];
            for (var i = 0; i < bytes.Length; i++)
            {
                if (round % 2 == 1 || random.Next(30) == 0)
                    bytes[i] = alphabet[random.Next(alphabet.Length)];
            }
            try
            {
                TraceWorkload.Load(_folder.Write("hostile.csv", bytes), 1 << 20);
                read++;
            }
            catch (PagingException e)
            {
                Assert.DoesNotContain(e.Message, static c => char.IsControl(c));
                refused++;
            }
        }
        Assert.True(read > 50 && refused > 200, $"{read} read, {refused} refused");
    }

    private static List<GuestAccess> All(IAccessStream stream)
    {
        var all = new List<GuestAccess>();
        while (stream.TryNext(out var access))
            all.Add(access);
        Assert.Equal(stream.Count, (ulong)all.Count);
        return all;
    }

    private static string Sample()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Actors.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not inside the checkout");
        return Path.Combine(folder, "samples", "linux-4vcpu.touch.csv.gz");
    }

    private string Text(string text) => _folder.Write("trace.csv", Encoding.UTF8.GetBytes(text));

    private string Gzip(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return _folder.Write("trace.csv.gz", bytes.ToArray());
    }
}
