namespace Userfault.Capacity;

/// <summary>What happens at an instant of a <see cref="SweepRun"/>; the event's number says to whom.</summary>
internal enum SweepEvent : byte
{
    /// <summary>A vCPU touches its next page.</summary>
    Touch,

    /// <summary>A vCPU's fault has got as far as user space (or to sleep).</summary>
    FaultTaken,

    /// <summary>A vCPU runs on behind a fault.</summary>
    Resumed,

    /// <summary>A request's answer is ready at its fetcher.</summary>
    AnswerReady,

    /// <summary>A station has served whom it had.</summary>
    Served,
}
