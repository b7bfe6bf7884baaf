using System.Text.Json.Nodes;

namespace Userfault.Qemu;

/// <summary>Has a QEMU save its guest to a file, in a form that can be restored page by page.</summary>
public static class QmpSave
{
    private static readonly Version FirstMappedRam = new(9, 0);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan MaxCopying = TimeSpan.FromMinutes(1);

    /// <summary>Can this QEMU put pages at fixed offsets of a file?</summary>
    public static bool HasMappedRam(QmpClient qemu)
    {
        ArgumentNullException.ThrowIfNull(qemu);
        return Version.TryParse(qemu.Version, out var version) && version >= FirstMappedRam;
    }

    /// <summary>
    /// Stops the guest and saves it; it stays stopped. Until the end there is no file by that name to be mistaken for a
    /// whole one: what QEMU writes has another.
    /// </summary>
    /// <param name="qemu">Its monitor.</param>
    /// <param name="file">The file, with its folder.</param>
    /// <param name="cancelled">Ends the wait; what QEMU writes is removed, and the guest stays stopped.</param>
    /// <exception cref="QmpException">QEMU refuses, or fails.</exception>
    public static async Task SaveAsync(QmpClient qemu, string file, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(qemu);
        ArgumentNullException.ThrowIfNull(file);
        var isMapped = HasMappedRam(qemu);
        var state = $"{(await qemu.ExecuteAsync("query-status", null, cancelled))?["status"]}";
        if (state == "postmigrate")
            throw new QmpException("the guest was saved before and has not run since; say cont in its monitor first");
        _ = await qemu.ExecuteAsync("stop", null, cancelled);
        // With postcopy-ram QEMU 10 would wait for a return path that a file has not.
        JsonArray capabilities = [Capability("events", true), Capability("postcopy-ram", false)];
        if (isMapped)
            capabilities.Add(Capability("mapped-ram", true));
        _ = await qemu.ExecuteAsync(
            "migrate-set-capabilities",
            new JsonObject { ["capabilities"] = capabilities },
            cancelled
        );
        // A new QEMU holds itself back to 1 Gbit/s.
        var unlimited = new JsonObject { ["max-bandwidth"] = 1L << 40 };
        _ = await qemu.ExecuteAsync("migrate-set-parameters", unlimited, cancelled);
        var (part, whole) = (file + ".part", file + ".whole");
        // QEMU is done with exec: when the pipe has taken its last byte; cat is done a moment later, and says so.
        var uri = isMapped ? $"file:{whole}" : $"exec:cat > {Quoted(part)} && mv {Quoted(part)} {Quoted(whole)}";
        try
        {
            Remove(whole);
            _ = await qemu.ExecuteAsync("migrate", new JsonObject { ["uri"] = uri }, cancelled);
            await WaitAsync(qemu, cancelled);
            await WaitForAsync(whole, cancelled);
            File.Move(whole, file, overwrite: true);
        }
        catch
        {
            Remove(part);
            Remove(whole);
            throw;
        }
    }

    // Why it failed is to be said, not why what is left of it stays.
    private static void Remove(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is not ours.
        }
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static async Task WaitForAsync(string file, CancellationToken cancelled)
    {
        var startedAt = TimeProvider.System.GetTimestamp();
        while (!File.Exists(file))
        {
            if (TimeProvider.System.GetElapsedTime(startedAt) > MaxCopying)
                throw new QmpException($"{file}: what QEMU sent was not written; look for room on that disk");
            await Task.Delay(LookEvery, TimeProvider.System, cancelled);
        }
    }

    private static async Task WaitAsync(QmpClient qemu, CancellationToken cancelled)
    {
        await foreach (var happened in qemu.Events.ReadAllAsync(cancelled))
        {
            switch (happened.Name == "MIGRATION" ? $"{happened.Data?["status"]}" : "")
            {
                case "completed":
                    return;
                case "failed" or "cancelled":
                    var answer = await qemu.ExecuteAsync("query-migrate", null, cancelled);
                    throw new QmpException(
                        $"QEMU could not save the guest: {answer?["error-desc"] ?? "see its standard error"}; "
                            + "the guest is stopped: say cont in its monitor to go on"
                    );
            }
        }

        throw new QmpException("QEMU has closed its monitor before the guest was saved");
    }

    private static JsonObject Capability(string name, bool isOn) => new() { ["capability"] = name, ["state"] = isOn };
}
