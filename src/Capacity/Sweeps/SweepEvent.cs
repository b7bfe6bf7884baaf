namespace Userfault.Capacity;

/// <summary>
/// The events of a <see cref="SweepRun"/>; an event's number identifies its vCPU, request or station.
/// </summary>
internal enum SweepEvent : byte
{
    /// <summary>A vCPU touches its next page.</summary>
    Touch,

    /// <summary>A vCPU's fault has reached user space (or the vCPU sleeps).</summary>
    FaultTaken,

    /// <summary>A vCPU continues after a fault.</summary>
    Resumed,

    /// <summary>A request's answer is ready at its fetcher.</summary>
    AnswerReady,

    /// <summary>A station has finished its current job.</summary>
    Served,
}
