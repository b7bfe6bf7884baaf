using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Userfault.Docs.Tests;

/// <summary>
/// Types the commands of a document as a reader does: all of them in one shell, from top to bottom, in a fresh clone.
/// Every command must succeed. Only ports differ: those of the document may be taken on this machine, so free ones take
/// their place.
/// </summary>
internal static partial class Reader
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs what this machine can run.</summary>
    /// <returns>Null where every command succeeded; else what the shell said, the failed command last.</returns>
    public static async Task<string?> Run(Document document)
    {
        var blocks = document.Blocks.Where(static b => b.IsCommands && Facility.WhyNot(b.Needs) is null).ToList();
        if (blocks.Count == 0)
            return null;
        using var clone = new Clone();
        var script = Path.Combine(clone.Home, "typed.sh");
        await File.WriteAllTextAsync(script, WithFreePorts(Script(document, blocks)));
        using var shell = Process.Start(Shell(clone, script))!;
        var output = shell.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = shell.StandardError.ReadToEndAsync(CancellationToken.None);
        using var late = new CancellationTokenSource(Patience);
        try
        {
            await shell.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            shell.Kill(entireProcessTree: true);
            return $"did not end; so far:\n{await output}\n{await error}";
        }

        return shell.ExitCode == 0 ? null : $"{await output}\n{await error}";
    }

    private static ProcessStartInfo Shell(Clone clone, string script) =>
        new("bash", [script])
        {
            WorkingDirectory = clone.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["HOME"] = clone.Home,
                ["PATH"] = $"{clone.Tools}:{Environment.GetEnvironmentVariable("PATH")}",
                // Most of a short command's time is compiling itself.
                ["DOTNET_TC_QuickJit"] = "1",
            },
        };

    private static string Script(Document document, IEnumerable<CodeBlock> blocks)
    {
        var script = new StringBuilder(
            """
            set -euo pipefail
            # Whatever a command that failed leaves in the background ends by its id.
            trap 'trap - ERR; for id in $(jobs -p); do kill $id 2>&1 || true; done; wait || true' EXIT
            trap 'echo "FAILED: $BASH_COMMAND"' ERR

            """
        );
        foreach (var block in blocks)
        {
            script.Append($"echo '+ {document.Path}:{block.Line}'\n").Append(block.Text).Append('\n');
        }

        return script.ToString();
    }

    private static string WithFreePorts(string script)
    {
        var ports = PortNumber().Matches(script).Select(static match => match.Value).Distinct().ToList();
        var listeners = ports.Select(static _ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners)
            listener.Start();
        var free = new Dictionary<string, int>();
        for (var i = 0; i < ports.Count; i++)
            free.Add(ports[i], ((IPEndPoint)listeners[i].LocalEndpoint).Port);
        foreach (var listener in listeners)
            listener.Stop();
        return PortNumber().Replace(script, match => $"{free[match.Value]}");
    }

    [GeneratedRegex(@"(?<=127\.0\.0\.1:|--port |--data-port )[1-9]\d{3,4}\b")]
    private static partial Regex PortNumber();
}
