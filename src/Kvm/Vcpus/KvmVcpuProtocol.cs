using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// What a real vCPU's actor receives from its thread and from the reader of the userfaultfd, besides the model's
/// protocol.
/// </summary>
internal static class KvmVcpuProtocol
{
    /// <summary>The vCPU touched a page that is not in place.</summary>
    /// <param name="Gfn">The page.</param>
    /// <param name="Access">Read or write.</param>
    /// <param name="At">When it was detected, a timestamp of <see cref="TimeProvider"/>.</param>
    public sealed record Touched(Gfn Gfn, Access Access, long At);

    /// <summary>The thread has left the guest on request.</summary>
    public sealed record Parked
    {
        /// <summary>The one instance.</summary>
        public static readonly Parked Instance = new();
    }

    /// <summary>The stream has ended.</summary>
    public sealed record Finished
    {
        /// <summary>The one instance.</summary>
        public static readonly Finished Instance = new();
    }

    /// <summary>The vCPU cannot continue.</summary>
    /// <param name="Why">The reason, in one line.</param>
    public sealed record Broken(string Why);
}
