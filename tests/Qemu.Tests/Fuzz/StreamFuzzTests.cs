using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Whatever a file holds: a refusal, or a stream whose pages and devices lie in the file. Behind the file's last byte
/// is memory that nobody may touch.
/// </summary>
public sealed unsafe class StreamFuzzTests
{
    // More than any of these streams has; where a mutation says so, no memory is taken for it.
    private const ulong MaxPages = 4096;

    private ulong _sum;

    [SkippableFact]
    public void Plain_streams()
    {
        var stream = StreamBuilder
            .Of("pc-i440fx-7.2")
            .Command(1)
            .StartOfRam(("pc.ram", 3 * 4096), ("vga.vram", 2 * 4096))
            .Part()
            .Page(0, "pc.ram", 1)
            .Zero(1, null)
            .Page(1, "vga.vram", 9)
            .EndOfPart()
            .Part()
            .Zero(0, "vga.vram")
            .EndOfPart()
            .Command(11)
            .EndOfRam()
            .Device("timer", 0)
            .Device("cpu", 3)
            .Eof("timer", "cpu");
        Fuzz("plain", stream.Bytes, 250_000);
    }

    [SkippableFact]
    public void Streams_without_description() =>
        Fuzz(
            "undescribed",
            StreamBuilder.Of("pc").StartOfRam(("a", 8192)).EndOfRam().Device("cpu", 3).Eof().Bytes,
            150_000
        );

    [SkippableFact]
    public void Streams_with_pages_at_fixed_offsets()
    {
        // As small as it can be: bitmap and pages need not lie on pages.
        var stream = StreamBuilder.Of("pc", "mapped-ram").BeginSection("ram").UInt64((3 * 4096) | 4);
        var at = (ulong)stream.Length + 40;
        MappedStream.Entry(stream, "a", 2, at, at + 8).PadTo(at).Byte(0b10).PadTo(at + 8 + 8192);
        at = (ulong)stream.Length + 40;
        MappedStream.Entry(stream, "b", 1, at, at + 8).PadTo(at).Byte(1).PadTo(at + 8 + 4096);
        stream.UInt64(0x200).EndOfPart().EndOfRam().Device("cpu", 3).Eof("cpu");
        Fuzz("mapped", stream.Bytes, 200_000);
    }

    [SkippableFact]
    public void Saves_of_libvirt() =>
        Fuzz("libvirt", LibvirtStream.Of("<domain><name>a</name></domain>", StreamBuilder.Small(2)).Bytes, 100_000);

    private void Fuzz(string name, byte[] stream, int inputs)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "memory that nobody may touch is made on Linux alone");
        var mutations = new Mutations(stream);
        using var memory = new GuardedBytes(mutations.MaxBytes);
        var taken = Fuzzing.Run(
            name,
            inputs,
            seed =>
            {
                var random = new FuzzRandom(seed);
                var bytes = mutations.Next(ref random);
                Read(memory.Fill(bytes), (ulong)bytes.Length);
            },
            static e => e is StreamException
        );
        // Both happen: else it is not these streams that are tried.
        Assert.InRange(taken, inputs / 1000, inputs - (inputs / 10));
    }

    private void Read(byte* bytes, ulong length)
    {
        var reader = new SavedStreamReader("fuzz", bytes, length);
        var head = reader.ReadHead();
        if (head.Configuration.IsMappedRam)
        {
            _ = reader.ReadRest(head, reader.ReadRam(head, null));
            foreach (var block in head.Blocks)
            {
                for (ulong page = 0; page < block.Pages; page++)
                {
                    var isContent = PageBits.IsSet(bytes + block.BitmapOffset, page);
                    Touch(bytes + block.PagesOffset + (page * Page.Size), isContent);
                }
            }

            return;
        }

        using var offsets = new PageOffsets(Math.Min(head.Pages, MaxPages));
        var end = reader.ReadRam(head, head.Pages <= MaxPages ? offsets : new NoOffsets(length));
        var stream = reader.ReadRest(head, end);
        Assert.True(reader.CanEndAt(head, end.Position));
        Assert.InRange(stream.DeviceStateOffset + stream.DeviceStateBytes, end.Position, length - 1);
        using var index = offsets.ToIndex(end);
        ulong content = 0;
        for (ulong page = 0; page < index.Pages; page++)
        {
            if (!PageBits.IsSet(index.Bits, page))
                continue;
            Assert.True(index.TryFind(page, out var offset));
            Touch(bytes + offset, isContent: true);
            content++;
        }

        Assert.Equal(index.ContentPages, content);
        Describe(bytes, length, stream);
    }

    private void Describe(byte* bytes, ulong length, SavedStream stream)
    {
        var description =
            stream.DescriptionOffset == 0
                ? default
                : new ReadOnlySpan<byte>(bytes + stream.DescriptionOffset, (int)(length - stream.DescriptionOffset));
        var end = stream.DeviceStateOffset + stream.DeviceStateBytes;
        foreach (var device in DeviceState.Sections("fuzz", bytes, stream.DeviceStateOffset, end, description))
            _sum += device.Bytes;
    }

    private void Touch(byte* page, bool isContent)
    {
        if (isContent)
            _sum += (ulong)*page + page[Page.Size - 1];
    }

    private sealed class NoOffsets(ulong length) : IPageOffsets
    {
        public void SetContent(ulong page, ulong offset) => Assert.InRange(offset, 1UL, length - Page.Size);

        public void SetZero(ulong page) { }
    }
}
