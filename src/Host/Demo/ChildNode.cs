using System.Diagnostics;

namespace Userfault.Cli;

/// <summary>
/// A node that this process has started, and that ends with it: its standard input is a pipe from here.
/// </summary>
internal sealed class ChildNode : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private ChildNode(Process process) => _process = process;

    /// <summary>Where other nodes reach it, as H:P.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts a node on free ports, and returns when pages can be had there.</summary>
    /// <exception cref="CliException">It ended before, with what it said; or it took too long.</exception>
    /// <exception cref="InterruptedException">Ctrl-C meanwhile.</exception>
    public static async Task<ChildNode> Start(string role, IEnumerable<string> args, CancellationToken cancelled)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // A node is ready sooner when its code is compiled quickly first and well where it runs often; a migration,
        // which is over in seconds, has it compiled well at once.
        start.Environment["DOTNET_TC_QuickJit"] = "1";
        // Under `dotnet userfault.dll` the process is dotnet's, and the first argument names the program.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ChildNode).Assembly.Location);
        foreach (var arg in new[] { "node", "--role", role, "--until-stdin-closes" }.Concat(args))
            start.ArgumentList.Add(arg);
        var node = new ChildNode(Process.Start(start)!);
        try
        {
            node.Address = (await node.Line($"userfault node: {role} at ", cancelled)).Split(' ')[^1];
            await node.Line("userfault node: serves ", cancelled);
            // Nobody reads on: a pipe that is full would stop the node.
            node._process.BeginErrorReadLine();
            return node;
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    /// <summary>Asks it to end.</summary>
    public void Stop() => _process.StandardInput.Close();

    /// <summary>Waits for its end; one that does not end is killed, by its id.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Stop();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(15)))
                _process.Kill();
        }

        _process.Dispose();
    }

    private async Task<string> Line(string beginning, CancellationToken cancelled)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        late.CancelAfter(Patience);
        try
        {
            while (await _process.StandardOutput.ReadLineAsync(late.Token) is { } line)
            {
                if (line.StartsWith(beginning, StringComparison.Ordinal))
                    return line;
            }

            var said = await _process.StandardError.ReadToEndAsync(late.Token);
            await _process.WaitForExitAsync(late.Token);
            // A terminal's Ctrl-C goes to the node as well, and it may be the quicker to end, and ends well.
            if (_process.ExitCode == ExitCodes.Success)
                throw new InterruptedException();
            throw new CliException($"a node ended before it was ready: {said.ReplaceLineEndings(" ").Trim()}");
        }
        catch (OperationCanceledException)
        {
            if (cancelled.IsCancellationRequested)
                throw new InterruptedException();
            throw new CliException($"node {Id} was not ready within {Patience.TotalSeconds} s");
        }
    }
}
