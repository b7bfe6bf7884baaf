using Userfault.Linux;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Whatever an index holds, with right sums or wrong ones: it is none, or no page is looked for outside the stream.
/// </summary>
public sealed unsafe class IndexFuzzTests : IDisposable
{
    private const int Inputs = 20_000;
    private const ulong Pages = 600;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void Indexes()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "files have stamps on Linux alone");
        var path = _folder.Write("vm.mig", StreamBuilder.Small(Pages).Bytes);
        using var stream = MappedFile.Open(path);
        var reader = new SavedStreamReader(path, stream.Bytes, stream.Length);
        var head = reader.ReadHead();
        using (var offsets = new PageOffsets(Pages))
        {
            var end = reader.ReadRam(head, offsets);
            using var index = offsets.ToIndex(end);
            Assert.True(IndexFile.TryWrite(path + ".index", index, stream.Stamp!.Value));
        }

        var good = File.ReadAllBytes(path + ".index");
        var bytes = (byte[])good.Clone();
        using var fd = OwnedFd.Open(path + ".index");
        using var memory = MemoryMapping.Of(fd, (ulong)good.Length);
        ulong sum = 0;
        var found = 0;
        Fuzzing.Run(
            "index",
            Inputs,
            seed =>
            {
                var random = new FuzzRandom(seed);
                good.CopyTo(bytes, 0);
                Spoil(ref random, bytes);
                bytes.CopyTo(new Span<byte>(memory.Start, bytes.Length));
                using var index = IndexFile.TryOpen(path + ".index", stream, Pages);
                if (index is null || !reader.CanEndAt(head, index.End.Position))
                    return;
                found++;
                for (ulong page = 0; page < Pages; page++)
                {
                    if (PageBits.IsSet(index.Bits, page) && index.TryFind(page, out var offset))
                        sum += (ulong)stream.Bytes[offset] + stream.Bytes[offset + 4095];
                }
            },
            static _ => false
        );
        Assert.InRange(found, Inputs / 10, Inputs - (Inputs / 10));
        Assert.NotEqual(0UL, sum);
    }

    private static void Spoil(ref FuzzRandom random, byte[] bytes)
    {
        var layout = new IndexLayout(Pages);
        var isForged = random.Below(2) == 0;
        for (var change = random.Below(4); change > 0; change--)
        {
            switch (random.Below(4))
            {
                case 0:
                    bytes[random.Below(80)] = (byte)random.Next();
                    break;
                case 1:
                    bytes[(int)IndexLayout.Bitmap + random.Below((int)(Pages / 8))] ^= (byte)(1 << random.Below(8));
                    break;
                case 2:
                    bytes[(int)layout.Offsets + random.Below(8 * (int)Pages)] = (byte)random.Next();
                    break;
                default:
                    var page = (ulong)random.Below((int)Pages);
                    IndexForgery.SetOffset(bytes, Pages, page, random.Next() >> random.Below(64));
                    break;
            }
        }

        if (isForged)
            IndexForgery.Sum(bytes, Pages);
    }
}
