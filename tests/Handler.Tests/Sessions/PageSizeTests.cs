using System.Text;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// How monitors say which pages they have: a field by its new name, by its deprecated one, or not at all.
/// </summary>
[Collection(nameof(OneAtATime))]
public sealed unsafe class PageSizeTests
{
    [SkippableTheory]
    [InlineData(
        """
            "page_size":4096
            """
    )]
    [InlineData(
        """
            "page_size_kib":4096
            """
    )]
    [InlineData(
        """
            "page_size":4096,"page_size_kib":4096
            """
    )]
    public void A_monitor_that_says_its_page_size_in_one_way_or_the_other_is_served(string field)
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var monitor = new Monitor(rig, field);
        rig.Line(HandlerEvent.Began);
        var scratch = stackalloc byte[2 * Page.Size];
        for (ulong page = 0; page < HandlerRig.Pages; page++)
        {
            new Span<byte>(scratch, Page.Size).Clear();
            var expected = rig.Image.Read(new Pages.MemoryPage(page), scratch + Page.Size);
            Assert.True(
                NativeTouch.Equal(monitor.At(page), expected == null ? scratch : expected, Page.Size),
                $"page {page}"
            );
        }
    }

    [SkippableTheory]
    [InlineData(
        """
            "page_size_kib":4
            """
    )]
    [InlineData(
        """
            "page_size_kib":0
            """
    )]
    [InlineData(
        """
            "page_size_kib":8192
            """
    )]
    [InlineData(
        """
            "page_size":12288
            """
    )]
    public void What_is_no_page_size_is_refused(string field)
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var monitor = new Monitor(rig, field);
        Assert.Contains("pages of", rig.Line(HandlerEvent.Refused), StringComparison.Ordinal);
        Assert.Empty(rig.Server.Report());
    }

    private sealed class Monitor : IDisposable
    {
        private readonly MemoryMapping _memory = MemoryMapping.Anonymously(HandlerRig.Pages << Page.Shift);
        private readonly Userfaultfd _uffd = Userfaultfd.Open(UffdFeatures.None);
        private readonly UnixSocket _socket;

        public Monitor(HandlerRig rig, string field)
        {
            _memory.ForbidHugePages();
            _uffd.Register(_memory.Address, _memory.Bytes, UffdRegisterModes.Missing);
            _socket = UnixSocket.Connect(rig.Path);
            _socket.Send(
                Encoding.UTF8.GetBytes(
                    $$"""[{"base_host_virt_addr":{{_memory.Address}},"size":{{_memory.Bytes}},"offset":0,{{field}}}]"""
                ),
                _uffd.Fd
            );
        }

        public byte* At(ulong page) => _memory.Start + (page << Page.Shift);

        public void Dispose()
        {
            _socket.Dispose();
            _uffd.Dispose();
            _memory.Dispose();
        }
    }
}
