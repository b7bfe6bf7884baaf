using System.Text.Json;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>A running <c>userfault qemu restore</c>, and the report that it writes.</summary>
internal sealed class RestoreProcess : IDisposable
{
    private readonly string _json;

    /// <summary>Starts it.</summary>
    /// <param name="folder">Where its report goes.</param>
    /// <param name="args">The file and the options.</param>
    public RestoreProcess(TemporaryFolder folder, params string[] args)
    {
        _json = folder.At($"{Guid.CreateVersion7()}.json");
        Command = new ServeProcess(["qemu", "restore", .. args, "--json", _json]);
    }

    /// <summary>The process.</summary>
    public ServeProcess Command { get; }

    /// <summary>Waits for its end with an exit code; answers the report of its only guest.</summary>
    public async Task<JsonElement> EndAsync(int exitCode)
    {
        Assert.True(exitCode == await Command.End(), Command.All());
        Assert.DoesNotContain("   at ", Command.All(), StringComparison.Ordinal);
        return Assert.Single(Guests());
    }

    /// <summary>All that it reports.</summary>
    public JsonElement Report() => ServeProcess.Report(_json);

    /// <summary>What it reports of its guests.</summary>
    public IReadOnlyList<JsonElement> Guests() => [.. Report().GetProperty("guests").EnumerateArray()];

    /// <summary>
    /// Waits for its end with exit code 1; answers the one line that says why, in which a cause must be named.
    /// </summary>
    public async Task<string> FailureAsync(params string[] parts)
    {
        Assert.True(await Command.End() == 1, Command.All());
        var line = Assert.Single(
            Command.All().Split('\n'),
            static line => line.StartsWith("userfault: ", StringComparison.Ordinal)
        );
        foreach (var part in parts)
            Assert.True(line.Contains(part, StringComparison.Ordinal), $"no '{part}' in: {line}");
        return line;
    }

    public void Dispose() => Command.Dispose();
}
