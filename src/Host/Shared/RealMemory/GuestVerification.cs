using System.Runtime.InteropServices;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Checks every page of the guest against the image, what the guest wrote, and what it gave back, through its mapping:
/// pages that nobody touched yet are fetched by it. On a thread of its own, which may sleep on a page.
/// </summary>
internal sealed unsafe class GuestVerification
{
    private readonly GuestRun _run;
    private readonly IMemoryImage _image;
    private readonly Thread _thread;
    private long _checked;

    public GuestVerification(GuestRun run, IMemoryImage image)
    {
        (_run, _image) = (run, image);
        _thread = new Thread(Check) { IsBackground = true, Name = "verification" };
        _thread.Start();
    }

    public long Checked => Volatile.Read(ref _checked);

    public long Wrong { get; private set; }

    public ulong? FirstWrong { get; private set; }

    public bool HasEnded => !_thread.IsAlive;

    private void Check()
    {
        var expected = (byte*)NativeMemory.AlignedAlloc(2 * Page.Size, Page.Size);
        try
        {
            for (ulong i = 0; i < _run.Memory.Pages && !_run.IsOver; i++)
            {
                var gfn = new Gfn(i);
                Expect(gfn, expected);
                if (!NativeTouch.Equal(_run.Memory.At(gfn), expected, Page.Size))
                {
                    FirstWrong ??= i;
                    Wrong++;
                }
                Volatile.Write(ref _checked, _checked + 1);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(expected);
        }
    }

    private void Expect(Gfn gfn, byte* page)
    {
        new Span<byte>(page, Page.Size).Clear();
        if (_run.IsBallooned(gfn))
            return;
        var content = _image.Read(GuestMemory.PageOf(gfn), page + Page.Size);
        if (content != null)
            new ReadOnlySpan<byte>(content, Page.Size).CopyTo(new Span<byte>(page, Page.Size));
        _run.Stamps.Apply(gfn, page);
    }
}
