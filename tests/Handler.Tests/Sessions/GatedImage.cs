using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>Each page holds its number and one; nothing is read while the gate is closed.</summary>
internal sealed unsafe class GatedImage(ulong pages) : IMemoryImage
{
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    public string Name => "gated";

    public ImageKind Kind => ImageKind.Raw;

    public ulong Pages => pages;

    public ImageIdentity Identity => default;

    public byte* Read(MemoryPage page, byte* scratch)
    {
        Gate.Wait(60_000);
        new Span<byte>(scratch, Page.Size).Clear();
        *(ulong*)scratch = page.Value + 1;
        return scratch;
    }

    public void Dispose() => Gate.Dispose();
}
