using System.Diagnostics;

namespace Userfault.Host.Tests.Cluster;

/// <summary>A node of a cluster as a process of its own, on ports that it chose itself.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _complaints = [];

    private NodeProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_complaints) _complaints.Add(line.Data ?? "");
        };
        process.BeginErrorReadLine();
    }

    /// <summary>Where other nodes reach it, as H:P.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Where pages can be had there, as H:P.</summary>
    public string Serves { get; private set; } = "";

    /// <summary>Where its metrics are; null where it was not told to have any.</summary>
    public Uri? Metrics { get; private set; }

    /// <summary>What it has said on standard error.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints) return [.. _complaints];
        }
    }

    /// <summary>Starts a node, and returns when pages can be had there.</summary>
    public static Task<NodeProcess> Start(string role, params string[] args) => StartIn(null, role, args);

    /// <summary>The same in a network namespace; null is where the tests run.</summary>
    public static async Task<NodeProcess> StartIn(string? network, string role, params string[] args)
    {
        var node = new NodeProcess(CommandLine.StartIn(network, ["node", "--role", role, "--until-stdin-closes", .. args]));
        try
        {
            node.Address = (await node.Line($"userfault node: {role} at ")).Split(' ')[^1];
            node.Serves = (await node.Line("userfault node: serves ")).Split(' ')[^1];
        }
        catch
        {
            node.Dispose();
            throw;
        }

        return node;
    }

    /// <summary>Ends it as a power cut does.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Stops its threads where they are (SIGSTOP), or lets them go on (SIGCONT).</summary>
    public void Signal(string signal) => Signal(_process, signal);

    /// <summary>The same of any process that the test has started.</summary>
    public static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(20))) Kill();
        }

        _process.Dispose();
    }

    private async Task<string> Line(string beginning)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        const string metrics = "userfault node: metrics at ";
        var said = "";
        while (await _process.StandardOutput.ReadLineAsync(late.Token) is { } line)
        {
            if (line.StartsWith(metrics, StringComparison.Ordinal)) Metrics = new Uri(line[metrics.Length..]);
            if (line.StartsWith(beginning, StringComparison.Ordinal)) return line;
            said += line + "\n";
        }

        throw new InvalidOperationException($"the node ended without '{beginning}': {said} {string.Join('\n', Complaints)}");
    }
}
