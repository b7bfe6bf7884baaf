using Userfault.Tests;

namespace Userfault.Host.Tests;

public class ModelCommandTests
{
    [Fact]
    public async Task Predict_adds_a_column_and_prints_nothing_else()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write(
            "f.csv",
            """
            # a comment
            machine,memory,uffds,mode,readers,vcpus,rate_per_vcpu
            x86-96lpu,shmem,single,userfault,-,2,181972
            arm64-96pe,shmem,multiple,uffd-minor,per-vcpu,16,

            """
        );
        var run = await CommandLine.Run("model", "predict", file);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Output.Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Equal("machine,memory,uffds,mode,readers,vcpus,rate_per_vcpu,predicted", lines[0]);
        Assert.Matches(@"^x86-96lpu,shmem,single,userfault,-,2,181972,18\d{4}(\.\d)?$", lines[1]);
        Assert.Matches(@"^arm64-96pe,shmem,multiple,uffd-minor,per-vcpu,16,,\d{5}(\.\d)?$", lines[2]);
        Assert.Equal("", lines[3]);
    }

    [Theory]
    [InlineData("machine,memory\n", "uffds")]
    [InlineData("machine,memory,uffds,mode,readers,vcpus\nsparc,shmem,single,none,-,1\n", "sparc")]
    public async Task A_bad_table_is_one_line(string text, string expected)
    {
        using var folder = new TemporaryFolder();
        (await CommandLine.Run("model", "predict", folder.Write("f.csv", text))).IsBadInput("f.csv", expected);
    }

    [Fact]
    public async Task A_table_that_is_not_there_is_one_line() =>
        (await CommandLine.Run("model", "predict", "/no/such/table.csv")).IsBadInput("/no/such/table.csv");
}
