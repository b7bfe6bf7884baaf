using System.ComponentModel;
using Userfault.Kernel.Tests.Machine;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Userfault.Kernel.Tests.Cases;

/// <summary>
/// A test that needs a kernel with KVM. Where that is an emulated one, the case is sent there, and its result is
/// reported here as if it had run here.
/// </summary>
public sealed class KernelTestCase : SkippableFactTestCase
{
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("for deserialization", error: true)]
    public KernelTestCase() { }

    public KernelTestCase(
        IMessageSink diagnostics,
        TestMethodDisplay display,
        TestMethodDisplayOptions options,
        ITestMethod method,
        object[]? arguments = null
    )
        : base([typeof(Xunit.SkipException).FullName!], diagnostics, display, options, method, arguments) { }

    private bool IsLong => TestMethod.Method.GetCustomAttributes(typeof(LongUnderEmulationAttribute)).Any();

    public override async Task<RunSummary> RunAsync(
        IMessageSink diagnosticMessageSink,
        IMessageBus messageBus,
        object[] constructorArguments,
        ExceptionAggregator aggregator,
        CancellationTokenSource cancellationTokenSource
    )
    {
        if (!KernelChoice.IsEmulated)
        {
            return await base.RunAsync(
                diagnosticMessageSink,
                messageBus,
                constructorArguments,
                aggregator,
                cancellationTokenSource
            );
        }

        ArgumentNullException.ThrowIfNull(messageBus);
        var test = new XunitTest(this, DisplayName);
        messageBus.QueueMessage(new TestCaseStarting(this));
        messageBus.QueueMessage(new TestStarting(test));
        var answer = IsLong && !KernelChoice.RunsLong ? CaseAnswer.Skipped(WhyNotRun) : await Ask();
        var time = (decimal)answer.Seconds;
        messageBus.QueueMessage(Result(test, answer, time));
        messageBus.QueueMessage(new TestFinished(test, time, answer.Output));
        var summary = new RunSummary
        {
            Total = 1,
            Failed = answer.Outcome == CaseOutcome.Failed ? 1 : 0,
            Skipped = answer.Outcome == CaseOutcome.Skipped ? 1 : 0,
            Time = time,
        };
        messageBus.QueueMessage(new TestCaseFinished(this, time, 1, summary.Failed, summary.Skipped));
        return summary;
    }

    private static string WhyNotRun =>
        $"it takes up to a minute in the emulated kernel; {KernelChoice.LongVariable}=1 runs it";

    private async Task<CaseAnswer> Ask()
    {
        try
        {
            var kernel = await EmulatedKernel.GetAsync();
            return await kernel.RunAsync(SerializationHelper.Serialize(this), DisplayName);
        }
        catch (KernelMissingException missing)
        {
            return CaseAnswer.Skipped(missing.Message);
        }
        catch (KernelException broken)
        {
            return CaseAnswer.Failed(broken.Message);
        }
    }

    private static TestResultMessage Result(ITest test, CaseAnswer answer, decimal time) =>
        answer.Outcome switch
        {
            CaseOutcome.Passed => new TestPassed(test, time, answer.Output),
            CaseOutcome.Skipped => new TestSkipped(test, answer.Reason),
            _ => new TestFailed(
                test,
                time,
                answer.Output,
                [answer.ExceptionType],
                [answer.Reason],
                [answer.StackTrace],
                [-1]
            ),
        };
}
