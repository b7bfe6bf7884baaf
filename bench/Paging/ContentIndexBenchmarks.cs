using BenchmarkDotNet.Attributes;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.Paging;

/// <summary>
/// Recognising contents, by page: all known (found and compared byte for byte), and all new (looked for and added).
/// </summary>
public unsafe class ContentIndexBenchmarks
{
    private const int Contents = 4096;
    private readonly SyntheticImage _image = new(new SyntheticSettings(Contents, 0, 0));
    private readonly byte[] _pages = GC.AllocateUninitializedArray<byte>(Contents * Page.Size, pinned: true);
    private readonly ulong[] _tags = new ulong[Contents];
    private readonly ContentIndex _known = new(65536);
    private readonly ContentIndex _turning = new(65536);
    private ulong _new;

    [GlobalSetup]
    public void Setup()
    {
        for (var i = 0; i < Contents; i++)
        {
            _image.Read(new MemoryPage((ulong)i), At(i));
            _tags[i] = PageTag.Of(At(i));
            _known.Add(new MemoryPage((ulong)i), _tags[i]);
        }
    }

    [Benchmark(OperationsPerInvoke = Contents)]
    public int FindKnown()
    {
        var found = 0;
        for (var i = 0; i < Contents; i++)
            found += _known.Find(At(i), _tags[i], _image) >= 0 ? 1 : 0;
        return found;
    }

    [Benchmark(OperationsPerInvoke = Contents)]
    public int MissAndAdd()
    {
        var found = 0;
        for (var i = 0; i < Contents; i++)
        {
            var tag = (_new += 0x9e3779b97f4a7c15);
            found += _turning.Find(At(i), tag, _image);
            _turning.Add(new MemoryPage((ulong)i), tag);
        }
        return found;
    }

    [Benchmark(OperationsPerInvoke = Contents)]
    public void MakeSyntheticPage()
    {
        for (var i = 0; i < Contents; i++)
            _image.Read(new MemoryPage((ulong)i), At(i));
    }

    private byte* At(int page) =>
        (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _pages[(long)page * Page.Size]);
}
