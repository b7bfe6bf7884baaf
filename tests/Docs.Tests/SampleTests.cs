namespace Userfault.Docs.Tests;

/// <summary>The sample programs do what they say; each checks its own result and ends with 0 for a right one.</summary>
public class SampleTests
{
    [Theory]
    [InlineData("Userfault.Vmm", 3)]
    [InlineData("Userfault.ResolveLoop", 2)]
    public async Task A_sample_succeeds_and_prints_what_it_did(string program, int lines)
    {
        var (exitCode, output) = await Programs.Run(program);
        Assert.True(exitCode == 0, output);
        Assert.Equal(lines, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
