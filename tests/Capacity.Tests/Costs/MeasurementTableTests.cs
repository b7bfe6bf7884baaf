using Userfault.Mmu;

namespace Userfault.Capacity.Tests;

public class MeasurementTableTests
{
    private const string Header = "machine,memory,uffds,mode,readers,vcpus,rate_per_vcpu\n";

    [Fact]
    public void A_row_says_how_it_was_measured()
    {
        var table = MeasurementTable.Parse(
            "# said by others\n"
                + Header
                + "x86-96lpu,anonymous,single,uffd-missing,per-vcpu,64,1664\n\narm64-96pe,shmem,multiple,"
                + "uffd-minor+userfault,one,2,\n"
        );
        Assert.Equal(2, table.Count);
        Assert.Equal(
            new PagingSetup(Architecture.X86, PagingMode.Userfaultfd, true, 64)
            {
                Readers = 64,
                HostProcessors = 96,
                ThreadsPerCore = 2,
            },
            table.Setup(0)
        );
        Assert.Equal(
            new PagingSetup(Architecture.Arm64, PagingMode.Both, false, 2)
            {
                HasDescriptorPerVcpu = true,
                HostProcessors = 96,
            },
            table.Setup(1)
        );
        Assert.Equal((1664.0, null), (table.Rate(0), table.Rate(1)));
        Assert.Single(table.Cells());
    }

    [Fact]
    public void Columns_come_in_any_order_with_others_between()
    {
        var table = MeasurementTable.Parse(
            "\uFEFFvcpus,\"note, quoted\",rate_per_vcpu,readers,mode,uffds,memory,machine\r\n4,\"a \"\"b\"\"\",n/a,-,"
                + "none,single,shmem,arm64\r\n"
        );
        Assert.Equal(new PagingSetup(Architecture.Arm64, PagingMode.None, false, 4), table.Setup(0));
        Assert.Null(table.Rate(0));
        Assert.Equal(
            "vcpus,\"note, quoted\",rate_per_vcpu,predicted,readers,mode,uffds,memory,machine\n4,\"a \"\"b\"\"\",n/a,"
                + "7,-,none,single,shmem,arm64\n",
            table.With("predicted", static _ => "7")
        );
    }

    [Fact]
    public void Without_a_rate_the_new_column_is_the_last() =>
        Assert.Equal(
            "machine,memory,uffds,mode,readers,vcpus,predicted\nx86,shmem,single,none,-,1,0\n",
            MeasurementTable
                .Parse("machine,memory,uffds,mode,readers,vcpus\nx86,shmem,single,none,-,1\n")
                .With("predicted", static row => $"{row}")
        );

    [Theory]
    [InlineData("", "no header")]
    [InlineData("machine,memory\n", "uffds is missing")]
    [InlineData("machine,machine\n", "machine appears twice")]
    [InlineData(Header + "x86,shmem\n", "line 2: 2 fields, and the header has 7")]
    [InlineData(Header + "\"x86,shmem\n", "line 2: a quote is not closed")]
    [InlineData(Header + "sparc,shmem,single,none,-,1,\n", "line 2: machine 'sparc'")]
    [InlineData(Header + "x86,paper,single,none,-,1,\n", "memory 'paper'")]
    [InlineData(Header + "x86,shmem,some,none,-,1,\n", "uffds 'some'")]
    [InlineData(Header + "x86,shmem,single,magic,-,1,\n", "mode 'magic'")]
    [InlineData(Header + "x86,shmem,single,none,few,1,\n", "readers 'few'")]
    [InlineData(Header + "x86,shmem,single,none,-,0,\n", "vcpus '0'")]
    [InlineData(Header + "x86,shmem,single,none,-,1e3,\n", "vcpus '1e3'")]
    public void What_cannot_be_used_is_named(string text, string expected)
    {
        var error = Assert.Throws<FormatException>(() =>
        {
            var table = MeasurementTable.Parse(text);
            for (var row = 0; row < table.Count; row++)
                table.Setup(row);
        });
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
