namespace Userfault.Host.Tests.Kvm;

/// <summary>What <c>userfault kvm</c> refuses on every machine, with KVM or without.</summary>
public class KvmBadInputTests
{
    [Theory]
    [InlineData("--cpl", "2", "0 or 3")]
    [InlineData("--mode", "both", "one of")]
    public async Task Bad_input_is_one_line(string option, string value, string part)
    {
        var run = await CommandLine.Run("kvm", "--synthetic", "512M", "--pattern", "random", option, value);
        run.IsBadInput(value, part);
    }
}
