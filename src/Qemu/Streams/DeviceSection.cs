namespace Userfault.Qemu;

/// <summary>The state of one device in a saved stream.</summary>
/// <param name="Name">Its name, such as <c>0000:00:02.0/vga</c>.</param>
/// <param name="Instance">Which of several.</param>
/// <param name="Version">Version of its state.</param>
/// <param name="Bytes">Bytes of its section, header and footer included.</param>
public sealed record DeviceSection(string Name, uint Instance, uint Version, ulong Bytes);
