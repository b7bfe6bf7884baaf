using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// The image's file is replaced, written to, renamed while it is served: no guest sees pages of two images.
/// </summary>
[Collection(nameof(OneAtATime))]
public sealed class ImageChangeTests
{
    [SkippableFact]
    public void Another_file_in_its_place_is_no_matter_to_who_is_served_and_refused_to_who_comes()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var served = rig.Connect();
        Assert.True(served.IsRight(7));
        rig.Line(HandlerEvent.Began);
        Replace(rig.ImagePath);
        using (rig.Connect())
        {
            Assert.Contains(rig.ImagePath, rig.Line(HandlerEvent.ImageChanged), StringComparison.Ordinal);
            rig.Line(HandlerEvent.Refused);
        }

        Assert.True(served.IsRight(9));
        Assert.Single(rig.Server.Report());
    }

    [SkippableFact]
    public void What_is_written_to_the_file_ends_every_vm_that_lacks_a_page()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var whole = rig.Connect();
        for (ulong page = 0; page < HandlerRig.Pages; page++)
            Assert.True(whole.IsRight(page));
        rig.Line(HandlerEvent.Began);
        using var half = rig.Connect();
        Assert.True(half.IsRight(7));
        rig.Line(HandlerEvent.Began);

        using (var file = File.OpenWrite(rig.ImagePath))
        {
            file.Position = 100 * Page.Size;
            file.WriteByte(0x5a);
        }

        Assert.Contains("vm 2: ", rig.Line(HandlerEvent.ImageChanged), StringComparison.Ordinal);
        Eventually.HoldsHere(() => rig.Server.Report().Any(vm => vm is { Id: 2, End: PagerEnd.Failed }));
        Assert.Equal(PagerEnd.None, rig.Server.Report().Single(vm => vm.Id == 1).End);
        using (rig.Connect())
            rig.Line(HandlerEvent.Refused);
    }

    [SkippableFact]
    public void A_new_mode_of_the_file_or_a_name_beside_it_changes_nothing()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        if (OperatingSystem.IsLinux())
            File.SetUnixFileMode(rig.ImagePath, UnixFileMode.UserRead);
        using var served = rig.Connect();
        Assert.True(served.IsRight(7));
        rig.Line(HandlerEvent.Began);
    }

    private static HandlerRig Rig() =>
        new(static options => options with { Pager = options.Pager with { Push = null } }, isMapped: true);

    private static void Replace(string path)
    {
        var other = path + ".new";
        File.WriteAllBytes(other, new byte[HandlerRig.Pages << Page.Shift]);
        File.Move(other, path, overwrite: true);
    }
}
