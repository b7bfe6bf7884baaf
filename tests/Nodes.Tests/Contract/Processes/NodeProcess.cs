using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// A process of the contract suite, as the parent sees it. Keeps what the current node has reported.
/// </summary>
internal sealed class NodeProcess : IDisposable
{
    private const int MaxLogLines = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Action _changed;
    private readonly Lock _lock = new();
    private readonly BlockingCollection<string> _answers = [];
    private readonly Queue<string> _log = [];
    private readonly Dictionary<string, List<IMembershipEvent>> _events = [];
    private readonly List<HeardMessage> _heard = [];
    private int _generation;
    private bool _isFrozen;
    private bool _isBroken;

    /// <summary>Starts it.</summary>
    /// <param name="changed">Called on any thread when a node has reported something.</param>
    public NodeProcess(Action changed)
    {
        _changed = changed;
        _process = Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(NodeProcess).Assembly.Location, "node"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            // The process lives for seconds, too short for instrumented code to pay off.
            Environment = { ["DOTNET_TieredPGO"] = "0" },
        })!;
        _process.OutputDataReceived += (_, line) => OnLine(line.Data);
        _process.BeginOutputReadLine();
    }

    /// <summary>What a follower of the current node has received.</summary>
    public IReadOnlyList<IMembershipEvent> EventsOf(string follower)
    {
        lock (_lock) return [.. _events.GetValueOrDefault(follower) ?? []];
    }

    /// <summary>What the current node's recorder has received.</summary>
    public IReadOnlyList<HeardMessage> Heard()
    {
        lock (_lock) return [.. _heard];
    }

    /// <summary>Opens a node in place of the previous one, which has ended.</summary>
    public NodeId Open(string system, string name, int port, SplitBrainRule rule, TimeSpan pause)
    {
        lock (_lock)
        {
            _generation++;
            _events.Clear();
            _heard.Clear();
            _log.Clear();
        }

        var answer = Do($"open {_generation} {system} {name} {port} {rule} {(int)pause.TotalMilliseconds}").Split(' ');
        return ChildLines.ReadNode(answer[0], answer[1]);
    }

    /// <summary>Has the process ended or failed, so that no other test should use it?</summary>
    public bool IsBroken => _isBroken || _process.HasExited;

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <returns>The text of the answer.</returns>
    public string Do(FormattableString command)
    {
        var line = command.ToString(CultureInfo.InvariantCulture);
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
        _isBroken = true;
        Assert.True(_answers.TryTake(out var answer, Patience), $"no answer to {line}; the log:\n{Log}");
        Assert.True(answer.StartsWith(ChildLines.Ok, StringComparison.Ordinal), $"{line}: {answer}");
        _isBroken = false;
        return answer[ChildLines.Ok.Length..].Trim();
    }

    /// <summary>The last lines of the log of the current node.</summary>
    public string Log
    {
        get
        {
            lock (_lock) return string.Join('\n', _log);
        }
    }

    public void Freeze()
    {
        _isFrozen = true;
        Signal("-STOP");
    }

    public void Thaw()
    {
        if (!_isFrozen) return;
        _isFrozen = false;
        Signal("-CONT");
    }

    /// <summary>Kills the process.</summary>
    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _answers.Dispose();
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private void OnLine(string? line)
    {
        if (line is null) return;
        var words = line.Split(' ');
        switch (words[0])
        {
            case ChildLines.Ok or ChildLines.Error:
                _answers.Add(line);
                return;
            case ChildLines.Event or ChildLines.Heard:
                lock (_lock) Keep(words);
                _changed();
                return;
            default:
                lock (_lock)
                {
                    _log.Enqueue(line);
                    if (_log.Count > MaxLogLines) _log.Dequeue();
                }

                return;
        }
    }

    private void Keep(string[] words)
    {
        if (ChildLines.ReadNumber(words[1]) != _generation) return;
        if (words[0] == ChildLines.Heard)
        {
            _heard.Add(ChildLines.ReadHeard(words.AsSpan(2)));
            return;
        }

        if (!_events.TryGetValue(words[2], out var told)) _events.Add(words[2], told = []);
        told.Add(ChildLines.ReadEvent(words.AsSpan(3)));
    }
}
