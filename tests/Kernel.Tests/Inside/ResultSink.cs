using Userfault.Kernel.Tests.Cases;
using Xunit.Abstractions;

namespace Userfault.Kernel.Tests.Inside;

/// <summary>Receives what xunit says about one test, and makes its answer.</summary>
internal sealed class ResultSink : LongLivedMarshalByRefObject, IMessageSink, IDisposable
{
    private readonly ManualResetEventSlim _isFinished = new();
    private CaseAnswer _answer = CaseAnswer.Failed("the test did not run");

    /// <summary>Waits for the end of the run.</summary>
    public CaseAnswer Wait()
    {
        _isFinished.Wait();
        return _answer;
    }

    public bool OnMessage(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestPassed passed:
                _answer = new CaseAnswer(CaseOutcome.Passed, (double)passed.ExecutionTime, Output: passed.Output);
                break;
            case ITestSkipped skipped:
                _answer = CaseAnswer.Skipped(skipped.Reason) with { Seconds = (double)skipped.ExecutionTime };
                break;
            case ITestFailed failed:
                _answer = Failure(failed, (double)failed.ExecutionTime, failed.Output);
                break;
            case ITestAssemblyFinished:
                _isFinished.Set();
                break;
            // Fixtures and constructors that fail, and what xunit says where it does not get as far as the test.
            case IFailureInformation failure:
                _answer = Failure(failure, 0, "");
                break;
        }

        return true;
    }

    public void Dispose() => _isFinished.Dispose();

    private static CaseAnswer Failure(IFailureInformation failure, double seconds, string output) =>
        new(
            CaseOutcome.Failed,
            seconds,
            string.Join('\n', failure.Messages),
            failure.ExceptionTypes[0],
            string.Join('\n', failure.StackTraces),
            output
        );
}
