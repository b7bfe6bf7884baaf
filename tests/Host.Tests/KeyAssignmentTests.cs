using Userfault.Cli;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Single keys of akka.hocon on the command line: <c>--set KEY=VALUE</c>.</summary>
public class KeyAssignmentTests
{
    [Fact]
    public void A_key_lies_over_the_file_and_an_option_over_the_key()
    {
        using var folder = new TemporaryFolder();
        var file = folder.At("own.hocon");
        File.WriteAllText(file, "userfault { fetcher { count = 2, window = 64 }\n seed = 5 }");

        var settings = Settings.Load(file, ["userfault.fetcher.count = 4", "userfault.seed=6"]);
        settings.Override("seed", "--seed", "7");

        Assert.Equal(("userfault.fetcher.count", "4"), settings.Get("fetcher.count"));
        Assert.Equal(("userfault.fetcher.window", "64"), settings.Get("fetcher.window"));
        Assert.Equal(("--seed", "7"), settings.Get("seed"));
    }

    [Fact]
    public void The_last_of_one_key_counts() =>
        Assert.Equal("3", Settings.Load(null, ["userfault.seed=2", "userfault.seed=3"]).Get("seed").Value);

    [Theory]
    [InlineData("a=b")]
    [InlineData("say \"no\" {")]
    [InlineData("C:\\keys\\node.pem")]
    [InlineData("")]
    public void A_value_is_taken_as_it_is(string value)
    {
        var settings = Settings.Load(null, $"userfault.cluster.tls.key={value}", $"akka.loglevel={value}");

        Assert.Equal(value, settings.Get("cluster.tls.key").Value);
        Assert.Equal(value, settings.Config.GetString("akka.loglevel"));
    }

    [Fact]
    public void A_file_that_a_key_names_does_not_begin_at_the_settings_file()
    {
        using var folder = new TemporaryFolder();
        var file = folder.At("own.hocon");
        File.WriteAllText(file, "userfault { cluster { tls { certificate = node.pem } } }");

        var settings = Settings.Load(file, "userfault.cluster.tls.key=node.key");

        Assert.Equal(folder.At("node.pem"), settings.FileAt("cluster.tls.certificate").Path);
        Assert.Equal("node.key", settings.FileAt("cluster.tls.key").Path);
    }

    [Theory]
    [InlineData("userfault.seed")]
    [InlineData("=4")]
    [InlineData("userfault..seed=4")]
    [InlineData("userfault { seed=4 }")]
    [InlineData("userfault.sed=4")]
    [InlineData("userfalt.seed=4")]
    [InlineData("userfault.fetcher=4")]
    public void What_is_no_key_with_a_value_is_refused(string assignment) =>
        Assert.Throws<CliException>(() => Settings.Load(null, assignment));
}
