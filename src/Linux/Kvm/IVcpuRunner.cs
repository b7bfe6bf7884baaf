namespace Userfault.Linux;

/// <summary>What runs a vCPU: the kernel (<see cref="KvmVcpu"/>), or a test that plays the part of one.</summary>
internal interface IVcpuRunner : IDisposable
{
    /// <summary>The thread that runs it, as a userfaultfd's events name it; 0 before <see cref="Adopt"/>.</summary>
    int Thread { get; }

    /// <summary>The value that an MMIO exit writes.</summary>
    ulong MmioDatum { get; }

    /// <summary>The calling thread is going to run it.</summary>
    void Adopt();

    /// <summary>Enters the guest and returns when it has left it. Always by the thread that adopted it.</summary>
    KvmExit Run();

    /// <summary>Answers an MMIO read: the next <see cref="Run"/> completes the instruction with it.</summary>
    void AnswerMmio(ulong datum);

    /// <summary>
    /// Makes the running, or the next, <see cref="Run"/> end with <see cref="KvmExitKind.Interrupted"/>. Any thread.
    /// </summary>
    void Kick();

    /// <summary>
    /// Forgets earlier kicks. The running thread calls it before it looks at whatever it is kicked for: who asks later
    /// kicks again.
    /// </summary>
    void TakeKick();
}
