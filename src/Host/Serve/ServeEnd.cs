namespace Userfault.Cli;

/// <summary>When a handler ends by itself.</summary>
internal enum ServeEnd
{
    /// <summary>It does not: Ctrl-C ends it.</summary>
    WhenCancelled,

    /// <summary>When all VMs have ended, at least one.</summary>
    WithLastVm,
}
