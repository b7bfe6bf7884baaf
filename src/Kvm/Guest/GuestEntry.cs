using Userfault.Linux;

namespace Userfault.Kvm;

/// <summary>Puts a vCPU at the start of the guest's program, in long mode with paging enabled.</summary>
internal static class GuestEntry
{
    private const ulong Iopl3 = 0x3002;
    private const ulong Iopl0 = 0x2;

    /// <summary>Sets the vCPU's registers.</summary>
    /// <param name="vcpu">The vCPU, which must not be running.</param>
    /// <param name="layout">The layout of the guest's own memory.</param>
    /// <param name="number">The vCPU whose batch it processes.</param>
    /// <param name="ring">
    /// CPL: 3, or 0. A host that is itself a VM may have to emulate CPL 0, which is slow; CPL 3 runs natively
    /// everywhere.
    /// </param>
    /// <exception cref="LinuxException">The kernel rejects the state.</exception>
    public static void Prepare(KvmVcpu vcpu, GuestLayout layout, int number, int ring)
    {
        if (ring is not (0 or 3))
            throw new ArgumentOutOfRangeException(nameof(ring), ring, "a guest runs at CPL 0 or 3");
        var special = vcpu.SpecialRegs;
        special.SetLongMode((byte)ring, layout.TablesGpa, layout.TaskStateGpa);
        vcpu.SpecialRegs = special;
        vcpu.Regs = new KvmRegs
        {
            Rip = layout.CodeGpa,
            R8 = layout.BatchGpa(number),
            Rflags = ring == 3 ? Iopl3 : Iopl0,
        };
    }
}
