using System.Text;
using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>The first message, row by row: what a monitor may say, and what it may not.</summary>
public class RegionListTests
{
    private const ulong ImagePages = 16;

    public static TheoryData<string, ProtocolError> Refused =>
        new()
        {
            { "", ProtocolError.NotJson },
            { "[", ProtocolError.NotJson },
            { "hello", ProtocolError.NotJson },
            { "{}", ProtocolError.WrongKind },
            { "[]", ProtocolError.RegionCount },
            { "[1]", ProtocolError.WrongKind },
            { "[{}]", ProtocolError.FieldMissing },
            { """[{"base_host_virt_addr":4096,"size":4096}]""", ProtocolError.FieldMissing },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":-1}]""", ProtocolError.NotWholeNumber },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":0.5}]""", ProtocolError.NotWholeNumber },
            { """[{"base_host_virt_addr":4096,"size":"4096","offset":0}]""", ProtocolError.NotWholeNumber },
            {
                """[{"base_host_virt_addr":18446744073709551616,"size":4096,"offset":0}]""",
                ProtocolError.NotWholeNumber
            },
            {
                """[{"base_host_virt_addr":18446744073709547520,"size":4096,"offset":0}]""",
                ProtocolError.OutsideAddressSpace
            },
            {
                """[{"base_host_virt_addr":4096,"size":18446744073709547520,"offset":0}]""",
                ProtocolError.OutsideAddressSpace
            },
            { """[{"base_host_virt_addr":4096,"size":0,"offset":0}]""", ProtocolError.RegionSize },
            { """[{"base_host_virt_addr":4097,"size":4096,"offset":0}]""", ProtocolError.NotAligned },
            { """[{"base_host_virt_addr":4096,"size":4095,"offset":0}]""", ProtocolError.NotAligned },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":1}]""", ProtocolError.NotAligned },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":0,"page_size":8192}]""", ProtocolError.RegionSize },
            // Bytes, whatever the name says.
            {
                """[{"base_host_virt_addr":4096,"size":4096,"offset":0,"page_size_kib":4}]""",
                ProtocolError.RegionSize
            },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":0,"page_size_kib":0}]""", ProtocolError.RegionSize },
            {
                """[{"base_host_virt_addr":4096,"size":4096,"offset":0,"page_size_kib":8192}]""",
                ProtocolError.RegionSize
            },
            {
                """[{"base_host_virt_addr":4096,"size":4096,"offset":0,"page_size":2097152}]""",
                ProtocolError.NotAligned
            },
            { """[{"base_host_virt_addr":4096,"size":65536,"offset":4096}]""", ProtocolError.PastImage },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":65536}]""", ProtocolError.PastImage },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":18446744073709547520}]""", ProtocolError.PastImage },
            {
                """[{"base_host_virt_addr":4096,"size":8192,"offset":0},"""
                    + """{"base_host_virt_addr":8192,"size":4096,"offset":8192}]""",
                ProtocolError.OverlapInMemory
            },
            {
                """[{"base_host_virt_addr":4096,"size":8192,"offset":0},"""
                    + """{"base_host_virt_addr":16384,"size":4096,"offset":4096}]""",
                ProtocolError.OverlapInFile
            },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":0}]{"vcpu":0}""", ProtocolError.NotJson },
            { """[{"base_host_virt_addr":4096,"size":4096,"offset":0},7]""", ProtocolError.WrongKind },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_wrong_is_refused_in_one_line(string json, ProtocolError reason)
    {
        var error = Assert.Throws<ProtocolException>(() => RegionList.Parse(Encoding.UTF8.GetBytes(json), ImagePages));
        Assert.Equal(reason, error.Error);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(
        """[{"base_host_virt_addr":140737488355328,"size":65536,"offset":0,"page_size":4096,"page_size_kib":4096}]"""
    )]
    [InlineData("""[{"base_host_virt_addr":140737488355328,"size":65536,"offset":0,"page_size_kib":4096}]""")]
    [InlineData("""[{"base_host_virt_addr":140737488355328,"size":65536,"offset":0}]""")]
    [InlineData(
        """[ {"later":{"a":[1]},"offset":0,"size":65536,"page_size":4096,"base_host_virt_addr":140737488355328} ]"""
    )]
    public void What_monitors_say_is_read(string json) =>
        Assert.Equal(
            [new GuestRegion(140737488355328, 65536, 0, 4096)],
            RegionList.Parse(Encoding.UTF8.GetBytes(json), ImagePages)
        );

    [Fact]
    public void What_is_written_is_what_Firecracker_writes()
    {
        GuestRegion[] regions = [new(0x7f00_0000_0000, 8192, 0, 4096), new(0x7f00_1000_0000, 4096, 8192, 4096)];
        var json = RegionList.Write(regions);
        Assert.Equal(
            """[{"base_host_virt_addr":139637976727552,"size":8192,"offset":0,"page_size":4096,"page_size_kib":4096},"""
                + """{"base_host_virt_addr":139638245163008,"size":4096,"offset":8192,"page_size":"""
                + """4096,"page_size_kib":4096}]""",
            Encoding.UTF8.GetString(json)
        );
        Assert.Equal(regions, RegionList.Parse(json, ImagePages));
    }

    [Fact]
    public void Regions_are_found_by_address_and_by_page()
    {
        // In memory the other way round than in the file.
        var map = new RegionMap([new(0x20000, 0x2000, 0x4000, 4096), new(0x80000, 0x3000, 0x0, 4096)]);
        Assert.Equal(6ul, map.PageLimit);
        Assert.True(map.TryAtAddress(0x21fff, out var region));
        Assert.Equal(5ul, region.GfnAt(0x21fff).Value);
        Assert.True(map.TryAtPage(new MemoryPage(2), out region));
        Assert.Equal(0x82000ul, region.AddressOf(new MemoryPage(2)));
        Assert.False(map.TryAtPage(new MemoryPage(3), out _));
        Assert.False(map.TryAtAddress(0x22000, out _));
        Assert.False(map.TryAtAddress(0, out _));
        Assert.False(map.TryAtAddress(0x83000, out _));
    }
}
