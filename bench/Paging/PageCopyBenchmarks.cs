using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.Paging;

/// <summary>
/// The machine's own rate of copying 4 KiB pages from a mapped image into guest memory, and the same pages by way of a
/// page source with nothing else around it: what any fault handling is measured against.
/// </summary>
public unsafe class PageCopyBenchmarks
{
    private const int Pages = 65536;
    private readonly Sink _sink = new();
    private string _path = "";
    private FileImage _image = null!;
    private ByteGuestMemory _memory = null!;
    private LocalPageSource _plain = null!;
    private LocalPageSource _recognising = null!;
    private ulong[] _order = [];

    /// <summary>The order of the pages.</summary>
    [Params("sequential", "random")]
    public string Order { get; set; } = "sequential";

    [GlobalSetup]
    public void Setup()
    {
        _path = Path.Combine(Path.GetTempPath(), $"userfault-bench-{Environment.ProcessId}.img");
        var random = new Random(1);
        using (var file = File.Create(_path))
        {
            var bytes = new byte[1 << 20];
            for (var i = 0; i < Pages * (long)Page.Size / bytes.Length; i++)
            {
                random.NextBytes(bytes);
                file.Write(bytes);
            }
        }
        _image = MemoryImages.OpenRaw(_path);
        _memory = new ByteGuestMemory(Pages);
        _sink.Memory = _memory;
        _plain = new LocalPageSource(_image, new LocalSourceSettings { RememberedContents = 0 });
        _recognising = new LocalPageSource(_image);
        _order = [.. Enumerable.Range(0, Pages).Select(static i => (ulong)i)];
        if (Order == "random")
            random.Shuffle(_order);
        Memcpy();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _plain.Dispose();
        _recognising.Dispose();
        _memory.Dispose();
        _image.Dispose();
        File.Delete(_path);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Pages)]
    public void Memcpy()
    {
        byte* scratch = null;
        foreach (var memoryPage in _order)
        {
            Unsafe.CopyBlockUnaligned(
                _memory.PageAt(new MemoryPage(memoryPage)),
                _image.Read(new MemoryPage(memoryPage), scratch),
                Page.Size
            );
        }
    }

    [Benchmark(OperationsPerInvoke = Pages)]
    public void SourceOfSinglePages() => RunThrough(_plain, 1);

    [Benchmark(OperationsPerInvoke = Pages)]
    public void SourceOf16PageRequests() => RunThrough(_plain, 16);

    /// <summary>
    /// With duplicates looked for; the random image has none, so that every page is hashed, searched and added.
    /// </summary>
    [Benchmark(OperationsPerInvoke = Pages)]
    public void SourceThatRecognisesDuplicates() => RunThrough(_recognising, 16);

    private void RunThrough(LocalPageSource source, int pagesPerRequest)
    {
        Span<MemoryPageRange> ranges = stackalloc MemoryPageRange[pagesPerRequest];
        for (var i = 0; i < Pages; i += pagesPerRequest)
        {
            for (var j = 0; j < pagesPerRequest; j++)
                ranges[j] = new MemoryPageRange(new MemoryPage(_order[i + j]), 1);
            source.Request(new PageRequest((ulong)i, FetchPriority.Demand, 0), ranges, _sink);
        }
    }

    private sealed class Sink : IPageSink
    {
        public ByteGuestMemory Memory { get; set; } = null!;

        public void OnPages(PageBatch batch)
        {
            foreach (ref readonly var page in batch.Pages)
                Memory.Place(page);
            batch.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure) =>
            throw new InvalidOperationException($"{failure}");
    }
}
