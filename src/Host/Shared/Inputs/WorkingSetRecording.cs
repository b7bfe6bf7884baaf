namespace Userfault.Cli;

/// <summary>Is the order of first touches recorded?</summary>
internal enum WorkingSetRecording
{
    /// <summary>No.</summary>
    Off,

    /// <summary>Yes, for <c>--record</c>.</summary>
    On,
}
