namespace Userfault.Handler;

/// <summary>How serving a VM ended.</summary>
public enum PagerEnd
{
    /// <summary>It did not end.</summary>
    None,

    /// <summary>The monitor is gone.</summary>
    MonitorGone,

    /// <summary>Stopped with every page in place: nobody needs this process any more.</summary>
    Completed,

    /// <summary>Stopped for a standby to go on.</summary>
    HandedOver,

    /// <summary>It could not go on; there is a reason.</summary>
    Failed,
}
