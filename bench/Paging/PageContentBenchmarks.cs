using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.Paging;

/// <summary>
/// What it costs to look at a page, by page: hot (32 KiB again and again) and from DRAM (256 MiB in sequence). A mean
/// of n ns is 4096 / n GB/s.
/// </summary>
public unsafe class PageContentBenchmarks
{
    private const int Pages = 65536;
    private byte* _zeros;
    private byte* _noise;

    /// <summary>Pages gone through in turn.</summary>
    [Params(8, Pages)]
    public int Span { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _zeros = (byte*)NativeMemory.AlignedAlloc((nuint)Pages * Page.Size, Page.Size);
        _noise = (byte*)NativeMemory.AlignedAlloc((nuint)Pages * Page.Size, Page.Size);
        // Written, so that each page is a page of its own and not the machine's shared zero page.
        new Span<byte>(_zeros, Pages * Page.Size).Clear();
        new Random(1).NextBytes(new Span<byte>(_noise, Pages * Page.Size));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        NativeMemory.AlignedFree(_zeros);
        NativeMemory.AlignedFree(_noise);
    }

    [Benchmark(OperationsPerInvoke = Pages)]
    public int ZeroPageDetection()
    {
        var zero = 0;
        for (var i = 0; i < Pages; i++)
            zero += ZeroPage.IsZero(_zeros + ((long)(i % Span) * Page.Size)) ? 1 : 0;
        return zero;
    }

    [Benchmark(OperationsPerInvoke = Pages)]
    public uint Crc32CFourLanes()
    {
        uint sum = 0;
        for (var i = 0; i < Pages; i++)
            sum ^= Crc32C.OfPage(_noise + ((long)(i % Span) * Page.Size));
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Pages)]
    public ulong ContentTag()
    {
        ulong sum = 0;
        for (var i = 0; i < Pages; i++)
            sum ^= PageTag.Of(_noise + ((long)(i % Span) * Page.Size));
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Pages / 8)]
    public ulong Digest()
    {
        ulong sum = 0;
        for (var i = 0; i < Pages / 8; i++)
            sum ^= PageDigest.Of(_noise + ((long)(i % Span) * Page.Size)).Fingerprint;
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Pages / 8)]
    public ulong Fingerprint()
    {
        ulong sum = 0;
        for (var i = 0; i < Pages / 8; i++)
            sum ^= PageDigest.FingerprintOf((ulong*)(_noise + ((long)(i % Span) * Page.Size)));
        return sum;
    }
}
