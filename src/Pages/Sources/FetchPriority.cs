namespace Userfault.Pages;

/// <summary>Who waits for a page. Demand always goes first.</summary>
public enum FetchPriority : byte
{
    /// <summary>A vCPU, KVM or the VMM waits for it.</summary>
    Demand,

    /// <summary>Nobody waits: background push, prefetch.</summary>
    Background,
}
