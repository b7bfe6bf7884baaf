using Userfault.Mmu;

namespace Userfault.Linux;

/// <summary>A VM of the real kernel: memory regions, dirty logs, guest_memfd, vCPUs.</summary>
internal sealed unsafe class KvmVm : IMemoryRegionCalls, IDisposable
{
    private readonly KvmDevice _device;
    private readonly OwnedFd _fd;

    internal KvmVm(KvmDevice device, OwnedFd fd) => (_device, _fd) = (device, fd);

    internal KvmDevice Device => _device;

    /// <summary>KVM_CHECK_EXTENSION on the VM: 0 where there is no such thing, else 1 or how many.</summary>
    public int Check(KvmCapability capability) =>
        Libc.Ioctl(_fd.Number, KvmUapi.CheckExtension, (nint)(uint)capability);

    /// <inheritdoc/>
    public LinuxErrno SetUserMemoryRegion(in UserspaceMemoryRegion2 region)
    {
        // The older structure is the newer one's first 32 bytes.
        fixed (UserspaceMemoryRegion2* pointer = &region)
            return Call(KvmUapi.SetUserMemoryRegion, pointer);
    }

    /// <inheritdoc/>
    public LinuxErrno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region)
    {
        fixed (UserspaceMemoryRegion2* pointer = &region)
            return Call(KvmUapi.SetUserMemoryRegion2, pointer);
    }

    /// <summary>KVM_GET_DIRTY_LOG: one bit a page of the slot, and the log starts anew.</summary>
    /// <param name="slot">Address space and slot id.</param>
    /// <param name="words">Room for the slot's pages, 64 a word.</param>
    /// <returns>None; ENOENT where there is no such slot or it does not log; EINVAL where there can be none.</returns>
    public LinuxErrno GetDirtyLog(uint slot, Span<ulong> words)
    {
        fixed (ulong* bitmap = words)
        {
            var log = new KvmDirtyLog { Slot = slot, Bitmap = (ulong)bitmap };
            return Call(KvmUapi.GetDirtyLog, &log);
        }
    }

    /// <summary>KVM_CLEAR_DIRTY_LOG: pages are clean, and their next write is logged.</summary>
    /// <param name="slot">Address space and slot id.</param>
    /// <param name="firstPage">The first page.</param>
    /// <param name="pages">How many.</param>
    /// <param name="words">One bit per page: whether to clear it.</param>
    /// <returns>None, or the error.</returns>
    public LinuxErrno ClearDirtyLog(uint slot, ulong firstPage, uint pages, ReadOnlySpan<ulong> words)
    {
        fixed (ulong* bitmap = words)
        {
            var log = new KvmClearDirtyLog
            {
                Slot = slot,
                Pages = pages,
                FirstPage = firstPage,
                Bitmap = (ulong)bitmap,
            };
            return Call(KvmUapi.ClearDirtyLog, &log);
        }
    }

    /// <summary>KVM_CREATE_GUEST_MEMFD: memory that only a guest has.</summary>
    /// <param name="bytes">Its size, a multiple of the page size.</param>
    /// <param name="flags">GUEST_MEMFD_FLAG_*; newer kernels know some.</param>
    /// <exception cref="LinuxException">This kernel has none, or none that big, or not with these flags.</exception>
    public OwnedFd CreateGuestMemfd(ulong bytes, ulong flags = 0)
    {
        var create = new KvmCreateGuestMemfd { Size = bytes, Flags = flags };
        return new OwnedFd(
            Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.CreateGuestMemfd, &create), "KVM_CREATE_GUEST_MEMFD")
        );
    }

    /// <summary>KVM_ENABLE_CAP on the VM, with one argument.</summary>
    /// <param name="capability">What to enable.</param>
    /// <param name="argument">The first argument.</param>
    /// <param name="flags">None is known to released kernels.</param>
    /// <returns>None, or the error.</returns>
    public LinuxErrno Enable(KvmCapability capability, ulong argument, uint flags = 0)
    {
        var enable = new KvmEnableCap { Cap = (uint)capability, Flags = flags };
        enable.Arguments[0] = argument;
        return Call(KvmUapi.EnableCap, &enable);
    }

    /// <summary>KVM_GET_STATS_FD: the VM's own statistics; null where this kernel has none.</summary>
    /// <exception cref="LinuxException">They cannot be read.</exception>
    public KvmStatistics? OpenStatistics() =>
        Libc.Ioctl(_fd.Number, KvmUapi.GetStatsFd, 0) is var number and >= 0
            ? new KvmStatistics(new OwnedFd(number))
            : null;

    /// <summary>KVM_CREATE_VCPU.</summary>
    /// <param name="number">Its number, from 0.</param>
    /// <exception cref="LinuxException">No more vCPUs.</exception>
    public KvmVcpu CreateVcpu(int number) =>
        new(
            this,
            new OwnedFd(Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.CreateVcpu, number), $"KVM_CREATE_VCPU {number}"))
        );

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();

    private LinuxErrno Call(nuint request, void* argument) =>
        Libc.Ioctl(_fd.Number, request, argument) < 0 ? Errors.Last : LinuxErrno.None;
}
