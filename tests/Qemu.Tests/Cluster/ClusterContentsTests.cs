using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

public sealed class ClusterContentsTests
{
    private const ulong Pages = 2000;

    private static readonly ClusterSettings Impatient = new() { PatienceNs = 300_000_000 };

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public void All_pages_come_from_the_sources_as_they_are(int sources, bool pushes)
    {
        using var rig = new ClusterRig(Pages);
        for (var i = 0; i < sources; i++)
            rig.AddSource();
        using var guests = rig.Guests();
        using var restore = new ModelRestore(guests.Source, new PostcopySettings { Pushes = pushes });
        var random = new Random(5);
        restore.Run(turn =>
        {
            if (!pushes && turn < (int)Pages)
                restore.Destination.Touch("pc.ram", (ulong)turn);
            else if (turn % 4 == 0 && restore.Destination.Runs)
                restore.Destination.Touch("pc.ram", (ulong)random.Next((int)Pages));
        });
        AssertAll(restore);
        Assert.Equal(0, guests.WrongPages);
        Assert.True(guests.Counters.Delivered >= (long)Pages / 2);
        // Runs travel in one request each.
        if (pushes)
            Assert.True(guests.Counters.Requests < guests.Counters.Delivered / 4);
        rig.Disconnect();
    }

    [Fact]
    public void Pages_of_a_source_that_is_gone_come_from_another_one()
    {
        using var rig = new ClusterRig(Pages);
        var first = rig.AddSource();
        rig.AddSource();
        using var guests = rig.Guests();
        using var restore = new ModelRestore(guests.Source);
        var isGone = false;
        restore.Run(_ =>
        {
            if (isGone || restore.Core.Pushed < 200)
                return;
            first.Dispose();
            isGone = true;
        });
        Assert.True(isGone);
        AssertAll(restore);
        rig.Disconnect();
    }

    [Fact]
    public void A_page_that_is_not_as_its_digest_says_is_asked_of_another_source()
    {
        using var rig = new ClusterRig(Pages);
        using var altered = new AlteredImage(rig.Image, static page => page % 10 == 1);
        rig.AddSource(altered);
        rig.AddSource();
        using var guests = rig.Guests();
        using var restore = new ModelRestore(guests.Source);
        restore.Run();
        AssertAll(restore);
        Assert.True(guests.WrongPages > 0);
        rig.Disconnect();
    }

    [Fact]
    public void A_source_that_sends_nothing_right_is_given_up_and_the_restore_ends_in_one_line()
    {
        using var rig = new ClusterRig(Pages);
        using var altered = new AlteredImage(rig.Image, static _ => true);
        rig.AddSource(altered);
        var lines = new List<string>();
        using var guests = rig.Guests(Impatient with { Log = lines.Add });
        using var restore = new ModelRestore(guests.Source);
        restore.Run();
        Assert.Equal(0UL, restore.Core.Pushed + restore.Core.Demanded);
        Assert.DoesNotContain('\n', Assert.IsType<string>(restore.Problem));
        Assert.Single(lines);
        rig.Disconnect();
    }

    [Fact]
    public void Digests_of_another_image_are_not_believed()
    {
        using var rig = new ClusterRig(Pages);
        using var other = new OtherImage(rig.Image);
        using var manifest = new ManifestSource(other, rig.Image.Identity);
        rig.AddSource(manifest: manifest);
        rig.AddSource();
        using var guests = rig.Guests();
        using var restore = new ModelRestore(guests.Source);
        restore.Run();
        AssertAll(restore);
        Assert.Equal(0, guests.WrongPages);
        rig.Disconnect();
    }

    [Fact]
    public void Without_a_source_the_restore_waits_and_then_ends_in_one_line()
    {
        using var rig = new ClusterRig(Pages);
        var source = rig.AddSource();
        using var guests = rig.Guests(Impatient);
        using var restore = new ModelRestore(guests.Source);
        restore.Run(_ =>
        {
            if (restore.Core.Pushed >= 200)
                source.Dispose();
        });
        Assert.True(restore.Core.Left > 0);
        Assert.DoesNotContain('\n', Assert.IsType<string>(restore.Problem));
        rig.Disconnect();
    }

    [Fact]
    public void Warming_up_takes_no_page_from_a_guest_and_waits_for_no_source_for_long()
    {
        using var rig = new ClusterRig(Pages);
        var source = rig.AddSource();
        using var guests = rig.Guests();
        guests.Warm(Patience.Longest);
        using var restore = new ModelRestore(guests.Source);
        restore.Run();
        AssertAll(restore);
        source.Dispose();
        guests.Warm(TimeSpan.FromMilliseconds(20));
        rig.Disconnect();
    }

    [Fact]
    public void Guests_of_one_cluster_have_their_own_pages()
    {
        using var rig = new ClusterRig(Pages);
        rig.AddSource();
        using var guests = rig.Guests();
        using var first = new ModelRestore(guests.Source);
        using var second = new ModelRestore(guests.Source);
        first.Run();
        second.Run();
        AssertAll(first);
        AssertAll(second);
        Assert.Equal(2 * (long)Pages / 2, guests.Counters.Delivered);
        rig.Disconnect();
    }

    private static void AssertAll(ModelRestore restore)
    {
        Assert.Null(restore.Problem);
        Assert.True(restore.Destination.IsComplete);
        for (ulong page = 0; page < Pages; page++)
        {
            var content = restore.Destination.Page("pc.ram", page);
            if (page % 2 == 1)
                Assert.True(IsAll(content!, (byte)page), $"page {page}");
            else if (content is not null)
                Assert.True(IsAll(content, 0), $"page {page}");
        }
    }

    private static bool IsAll(byte[] content, byte value) => !content.AsSpan().ContainsAnyExcept(value);
}
