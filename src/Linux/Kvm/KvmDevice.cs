using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>/dev/kvm: makes VMs, and says what this kernel's KVM can do.</summary>
internal sealed class KvmDevice : IDisposable
{
    private const string Path = "/dev/kvm";
    private readonly OwnedFd _fd;

    private KvmDevice(OwnedFd fd) => _fd = fd;

    internal OwnedFd Fd => _fd;

    /// <summary>Why real vCPUs cannot be had here, with what to do about it; null where they can.</summary>
    public static string? WhyMissing()
    {
        try
        {
            using var device = Open();
            return null;
        }
        catch (LinuxException e)
        {
            return e.Message;
        }
        catch (PlatformNotSupportedException e)
        {
            return e.Message;
        }
    }

    /// <summary>Opens the device.</summary>
    /// <exception cref="LinuxException">It is not there, may not be opened, or speaks another version.</exception>
    /// <exception cref="PlatformNotSupportedException">Not Linux on x86-64: the guest is assembled for that
    /// alone.</exception>
    public static KvmDevice Open()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new PlatformNotSupportedException("real vCPUs need Linux on x86-64");
        var number = Libc.Open(Path, Libc.O_RDWR | Libc.O_CLOEXEC, 0);
        if (number < 0)
            throw new LinuxException($"open {Path}", Errors.Last, MendOf(Errors.Last));
        var fd = new OwnedFd(number);
        var version = Libc.Ioctl(number, KvmUapi.GetApiVersion, 0);
        if (version == KvmUapi.ApiVersion)
            return new KvmDevice(fd);
        fd.Dispose();
        throw new LinuxException($"{Path}: API version {version} instead of {KvmUapi.ApiVersion}", LinuxErrno.ENOTTY);
    }

    /// <summary>KVM_CHECK_EXTENSION on the device: 0 where there is no such thing, else 1 or how many.</summary>
    public int Check(KvmCapability capability) =>
        Libc.Ioctl(_fd.Number, KvmUapi.CheckExtension, (nint)(uint)capability);

    /// <summary>KVM_CREATE_VM, of the default type.</summary>
    /// <exception cref="LinuxException">No VM can be had.</exception>
    public KvmVm CreateVm() =>
        new(this, new OwnedFd(Errors.Check(Libc.Ioctl(_fd.Number, KvmUapi.CreateVm, 0), "KVM_CREATE_VM")));

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();

    private static string MendOf(LinuxErrno error) =>
        error switch
        {
            LinuxErrno.ENOENT =>
                "load the kvm module, or allow nested virtualization where this machine is a VM itself",
            LinuxErrno.EACCES or LinuxErrno.EPERM => "run as root, or join the group that owns it (mostly kvm)",
            _ => "see whether the kvm module is loaded",
        };
}
