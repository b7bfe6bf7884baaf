using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>Zeros that nobody reads before a test lets them.</summary>
internal sealed unsafe class GatedImage(ulong pages) : IMemoryImage
{
    /// <summary>Lets everybody read.</summary>
    public ManualResetEventSlim Gate { get; } = new();

    /// <summary>Set once a reader waits.</summary>
    public ManualResetEventSlim Entered { get; } = new();

    public string Name => "gated";

    public ImageKind Kind => ImageKind.Raw;

    public ulong Pages => pages;

    public ImageIdentity Identity => default;

    public byte* Read(MemoryPage page, byte* scratch)
    {
        Entered.Set();
        Gate.Wait();
        return null;
    }

    public void Dispose()
    {
        Gate.Dispose();
        Entered.Dispose();
    }
}
