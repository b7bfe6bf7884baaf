using System.Diagnostics;

namespace Userfault.Host.Tests.Cluster;

/// <summary>A node of a cluster as a process of its own, on ports that it chose itself.</summary>
internal sealed class NodeProcess : IDisposable
{
    private readonly Process _process;

    private NodeProcess(Process process) => _process = process;

    /// <summary>Where other nodes reach it, as H:P.</summary>
    public string Address { get; private set; } = "";

    public int Id => _process.Id;

    /// <summary>Starts a node, and returns when pages can be had there.</summary>
    public static async Task<NodeProcess> Start(string role, params string[] args)
    {
        var node = new NodeProcess(CommandLine.Start(["node", "--role", role, "--until-stdin-closes", .. args]));
        try
        {
            node.Address = (await node.Line($"userfault node: {role} at "))[^1];
            await node.Line("userfault node: serves ");
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

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(20))) Kill();
        }

        _process.Dispose();
    }

    private async Task<string[]> Line(string beginning)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var said = "";
        while (await _process.StandardOutput.ReadLineAsync(late.Token) is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal)) return line.Split(' ');
            said += line + "\n";
        }

        throw new InvalidOperationException($"the node ended without '{beginning}': {said} {await _process.StandardError.ReadToEndAsync()}");
    }
}
