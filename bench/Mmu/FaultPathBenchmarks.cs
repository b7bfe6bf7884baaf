using BenchmarkDotNet.Attributes;
using Userfault.Mmu;

namespace Userfault.Bench;

/// <summary>
/// The fault path without content: what a fault costs that finds its bit clear and maps a new 4 KiB page, one that
/// finds its bit set and exits, and the whole way of a page (exit, clear, map). Each pass runs over 256 MiB of guest
/// memory.
/// <c>dotnet run -c Release --project bench -- --filter '*FaultPath*'</c>
/// </summary>
[MemoryDiagnoser]
public class FaultPathBenchmarks : IDisposable
{
    private const int Pages = 1 << 16;
    private const ulong Hva = 0x7f00_0000_0000;

    private readonly ModelHostMemory _memory = new();
    private readonly UserfaultBitmap _bitmap = UserfaultBitmap.Allocate(Pages);
    private MemslotCore? _core;

    [Params(Architecture.X86, Architecture.Arm64)]
    public Architecture Guest { get; set; }

    private MemslotCore Core => _core!;

    [GlobalSetup]
    public void Setup()
    {
        _memory.Map(new Hva(Hva), (ulong)Pages << Page.Shift);
        var policy = Guest == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64;
        var slot = new Memslot(
            new SlotId(0),
            new GfnRange(new Gfn(0), Pages),
            new Hva(Hva),
            MemslotFlags.Userfault,
            _memory.AddBitmap(_bitmap)
        );
        _core = new MemslotCore(slot, policy, _memory);
    }

    // Each pass ends with an empty table: zapping it goes by table pages, which adds about a nanosecond a fault.
    [Benchmark(OperationsPerInvoke = Pages)]
    public int MapNewPage()
    {
        _bitmap.ClearRange(0, Pages);
        var mapped = Faults();
        Zap();
        return mapped;
    }

    [Benchmark(OperationsPerInvoke = Pages)]
    public int ExitOnSetBit()
    {
        _bitmap.SetAll();
        return Faults();
    }

    [Benchmark(OperationsPerInvoke = Pages)]
    public int ExitClearMap()
    {
        _bitmap.SetAll();
        var mapped = 0;
        for (var page = 0UL; page < Pages; page++)
        {
            var access = new VcpuAccess(new Gfn(page), Access.Write);
            if (Core.Fault(access).IsUserfaultExit && _bitmap.Clear(page))
                mapped += Core.Fault(access).Kind == FaultKind.Mapped ? 1 : 0;
        }

        Zap();
        return mapped;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _core?.Dispose();
        _core = null;
        _bitmap.Dispose();
        GC.SuppressFinalize(this);
    }

    private int Faults()
    {
        var mapped = 0;
        for (var page = 0UL; page < Pages; page++)
            mapped += Core.Fault(new VcpuAccess(new Gfn(page), Access.Write)).Kind == FaultKind.Mapped ? 1 : 0;
        return mapped;
    }

    private void Zap()
    {
        Core.BeginZap();
        while (!Core.Work(int.MaxValue).IsDone) { }
    }
}
