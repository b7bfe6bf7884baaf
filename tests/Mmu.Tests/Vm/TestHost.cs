namespace Userfault.Mmu.Tests;

/// <summary>A host that counts what it is asked, and lets a test act or answer in the middle of a fault.</summary>
public sealed class TestHost : IHostMemory
{
    public ModelHostMemory Memory { get; } = new();

    public int PageRequests { get; private set; }

    public int BitmapReads { get; private set; }

    /// <summary>Called before each page is given out.</summary>
    public Action<Hva>? OnGetPage { get; set; }

    /// <summary>Called before each bitmap word is given out.</summary>
    public Action? OnReadBitmap { get; set; }

    /// <summary>Answers instead of the memory; null lets the memory answer.</summary>
    public Func<Hva, bool, HostPage?>? Override { get; set; }

    public HostPageStatus GetPage(Hva hva, bool write, out HostPage page)
    {
        PageRequests++;
        OnGetPage?.Invoke(hva);
        if (Override?.Invoke(hva, write) is not { } answer)
            return Memory.GetPage(hva, write, out page);
        page = answer;
        return HostPageStatus.Present;
    }

    public bool TryReadBitmapWord(Hva address, out ulong word)
    {
        BitmapReads++;
        OnReadBitmap?.Invoke();
        return Memory.TryReadBitmapWord(address, out word);
    }
}
