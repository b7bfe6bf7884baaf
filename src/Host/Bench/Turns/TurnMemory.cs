using System.Runtime.CompilerServices;
using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>The guest memory of a turn, one region, and the way into it: native calls alone.</summary>
internal sealed unsafe class TurnMemory : IDisposable
{
    private readonly GuestMemory _memory;
    private readonly byte* _start;
    private readonly int _shift;

    /// <summary>Maps and registers it.</summary>
    /// <exception cref="LinuxException">No userfaultfd, no memory.</exception>
    public TurnMemory(ulong pages, GuestMemoryForm form)
    {
        PagesPerPage = form == GuestMemoryForm.HugePages ? RegionList.HugePageBytes >> Page.Shift : 1;
        _memory = new GuestMemory([new GfnRange(new Gfn(0), pages * PagesPerPage)], form);
        _start = _memory.At(new Gfn(0));
        _shift = Page.Shift + System.Numerics.BitOperations.Log2(PagesPerPage);
    }

    /// <summary>Pages of 4 KiB that one touch brings: 1, or those of a huge page.</summary>
    public ulong PagesPerPage { get; }

    /// <summary>The way of vCPU exits; null in the main form, which has none.</summary>
    public FaultChannel? Channel { get; private set; }

    /// <summary>Hands it over.</summary>
    /// <exception cref="LinuxException">The handler is gone.</exception>
    public void HandOver(UnixSocket socket, int touchers)
    {
        _memory.HandOver(socket);
        if (_memory.Bitmap is not null)
            Channel = new FaultChannel(socket, touchers);
    }

    /// <summary>The address of a 4 KiB page.</summary>
    public byte* At(ulong page) => _start + (page << Page.Shift);

    /// <summary>Reads a word of a page, as a vCPU does: returns when the page is there.</summary>
    /// <param name="toucher">Which vCPU it is.</param>
    /// <param name="page">The page, counted in pages of this memory.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Touch(int toucher, uint page)
    {
        if (Channel is null)
            _ = NativeTouch.Read(_start + ((ulong)page << _shift));
        else
            Exit(toucher, page);
    }

    /// <summary>Unmaps it; no thread may be in it any more.</summary>
    public void Dispose()
    {
        Channel?.Dispose();
        _memory.Dispose();
    }

    // What KVM does: a set bit is an exit, and again until the bit is clear.
    private void Exit(int toucher, uint page)
    {
        while (_memory.Bitmap!.IsSet(page) && Channel!.Broken is null)
            Channel.Exit(toucher, new Gfn(page));
        _ = NativeTouch.Read(_memory.File!, (ulong)page << Page.Shift);
    }
}
