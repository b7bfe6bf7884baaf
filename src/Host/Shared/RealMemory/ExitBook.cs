using Userfault.Handler;

namespace Userfault.Cli;

/// <summary>
/// Which answer belongs to which vCPU's exit. After a takeover one answer may come again, since whoever dies between an
/// answer and the note of it leaves the request behind: that is a spurious wake, which a vCPU would answer with the
/// next look at its bit. Anything else that was not asked is the handler's mistake. Threads wait and answers come at
/// the same time.
/// </summary>
internal sealed class ExitBook(int vcpus)
{
    private readonly FaultRequest?[] _open = new FaultRequest?[vcpus];
    private readonly FaultRequest?[] _answered = new FaultRequest?[vcpus];
    private readonly Lock _lock = new();

    /// <summary>A vCPU begins to wait.</summary>
    public void Begin(in FaultRequest request)
    {
        lock (_lock)
            _open[request.Vcpu] = request;
    }

    /// <summary>An answer came. The vCPU waits no longer where it is its own.</summary>
    public ExitAnswer Take(in FaultRequest answer)
    {
        lock (_lock)
        {
            if (answer.Vcpu >= (uint)_open.Length)
                return ExitAnswer.Foreign;
            if (_open[answer.Vcpu] == answer)
            {
                (_answered[answer.Vcpu], _open[answer.Vcpu]) = (answer, null);
                return ExitAnswer.Own;
            }
            return _answered[answer.Vcpu] == answer ? ExitAnswer.Repeated : ExitAnswer.Foreign;
        }
    }
}
