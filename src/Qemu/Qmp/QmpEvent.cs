using System.Text.Json.Nodes;

namespace Userfault.Qemu;

/// <summary>An event of QEMU's monitor.</summary>
/// <param name="Name">Its name: <c>MIGRATION</c>, <c>RESUME</c>.</param>
/// <param name="Data">What it carries, or null.</param>
public sealed record QmpEvent(string Name, JsonObject? Data);
