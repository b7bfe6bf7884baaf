namespace Userfault.Tests;

/// <summary>How QEMU is started.</summary>
internal sealed record QemuOptions
{
    /// <summary>The program.</summary>
    public const string Command = "qemu-system-x86_64";

    /// <summary>The firmware: <see cref="GuestRom"/>.</summary>
    public required string Rom { get; init; }

    /// <summary>Memory in MiB.</summary>
    public int RamMib { get; init; } = 16;

    /// <summary>The machine, with its options.</summary>
    public string Machine { get; init; } = "pc";

    /// <summary>Does it wait for a migration, which <see cref="QemuProcess.ListenAsync"/> begins?</summary>
    public bool IsIncoming { get; init; }

    /// <summary>More options.</summary>
    public IReadOnlyList<string> More { get; init; } = [];
}
