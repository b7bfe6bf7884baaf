namespace Userfault.Linux;

/// <summary>By which call a userfaultfd is opened.</summary>
public enum UffdWay
{
    /// <summary>/dev/userfaultfd, else the system call.</summary>
    Any,

    /// <summary>/dev/userfaultfd, whose file mode says who may.</summary>
    Device,

    /// <summary>The system call, which wants CAP_SYS_PTRACE or vm.unprivileged_userfaultfd.</summary>
    Syscall,
}
