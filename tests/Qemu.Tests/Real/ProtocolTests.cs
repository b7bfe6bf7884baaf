using System.Net.Sockets;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// What the protocol's description says of a destination, asked of a real one: the source depends on it.
/// </summary>
[Collection(SavedGuestCollection.Name)]
public sealed class ProtocolTests(SavedGuest saved) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task A_page_that_is_sent_twice_pauses_the_guest()
    {
        QemuProgram.IsNeededAsDestination();
        using var image = QemuImage.Open(saved.Plain);
        await using var to = await saved.DestinationAsync(_folder);
        await to.ListenAsync($"unix:{_folder.At("s")}");
        using var source = new ScriptedSource(image, _folder.At("s"));
        source.Begin();
        // Each page once until the guest runs, and some more.
        var sent = new List<MemoryPage>();
        for (var isLoaded = false; !isLoaded || sent.Count < 8; )
        {
            var message = Assert.NotNull(source.Next());
            isLoaded |= message is { Kind: ReturnKind.Pong, Value: PostcopyCore.LoadedPing };
            if (message.Block is null)
                continue;
            var page = source.PagesOf(message).Start;
            if (sent.Contains(page))
                continue;
            sent.Add(page);
            source.SendPages(page);
        }
        Assert.Equal("postcopy-active", await to.MigrationAsync());
        source.SendPages(sent[^1]);
        while (source.Next() is not null)
        {
            // Requests that crossed.
        }
        await Eventually.Holds(async () => await to.MigrationAsync() == "postcopy-paused", () => to.Error);
        Assert.False(to.HasEnded);
        Assert.Equal(0, to.Bad);

        // Nothing is lost by it.
        await to.ExecuteAsync("migrate-recover", new() { ["uri"] = $"unix:{_folder.At("again")}" });
        var again = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await again.ConnectAsync(new UnixDomainSocketEndPoint(_folder.At("again")));
        using var restore = new GuestRestore(
            GuestSource.Of(image, TimeProvider.System),
            new PostcopySettings(),
            null,
            TimeProvider.System
        );
        var end = await restore.RunAsync(again, null, SessionKind.Recovery, CancellationToken.None);
        Assert.Equal((PostcopyEnd.Completed, ""), (end.End, end.Reason));
        await to.IsCompleteAsync();
    }
}
