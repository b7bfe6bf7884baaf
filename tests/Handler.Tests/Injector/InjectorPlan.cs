namespace Userfault.Handler.Tests;

/// <summary>What kind of run a seed is.</summary>
internal sealed class InjectorPlan
{
    public InjectorPlan(Dice dice)
    {
        Granule = dice.Of<ulong>([1, 1, 1, 4]);
        IsShared = dice.Comes(350);
        IsSecretFree = IsShared && Granule == 1 && dice.Comes(600);
        HasMinor = IsSecretFree || (IsShared && dice.Comes(500));
        Pages = Granule * (ulong)(2 + dice.Roll(Granule == 1 ? 14 : 6));
        Regions = Pages / Granule > 3 && dice.Comes(500) ? 2 : 1;
        Vcpus = 1 + dice.Roll(4);
        FaultsPerMille = dice.Of([0, 10, 60, 250]);
        HasUnmapEvent = dice.Comes(500);
        KnowsPresence = dice.Comes(700);
        WritesProtected = Granule == 1 && !IsShared && dice.Comes(300);
        Push = dice.Of<Pages.PushOrderKind?>([
            null,
            Userfault.Pages.PushOrderKind.Sequential,
            Userfault.Pages.PushOrderKind.Outward,
        ]);
        Chunk = dice.Of<ulong>([1, 1, 2, 8]);
        PushPages = dice.Of<ulong>([1, 4, 16]);
        IsMapped = dice.Comes(500);
        FromSource = Granule == 1 && dice.Comes(400);
        Steps = 20 + dice.Roll(100);
        Stops = dice.Comes(400);
        IsStuck = dice.Comes(30);
        Dies = dice.Comes(40);
        IsFatal = dice.Comes(40);
        // Batches of pages that go in place in part are rare, and hold most of what can go wrong there.
        if (IsSecretFree && FromSource && dice.Comes(700))
        {
            (FaultsPerMille, PushPages) = (250, 16);
            Push = Userfault.Pages.PushOrderKind.Sequential;
        }
        IsFile = IsShared && !IsSecretFree && Granule == 1 && dice.Comes(700);
        HasMinor |= IsFile;
        IsKilled = Granule == 1 && !IsSecretFree && !FromSource && dice.Comes(300);
    }

    /// <summary>Pages that go in place at once.</summary>
    public ulong Granule { get; }

    /// <summary>Shared memory, which has a page cache?</summary>
    public bool IsShared { get; }

    /// <summary>A guest_memfd, whose vCPUs ask on the socket; threads of the monitor still fault.</summary>
    public bool IsSecretFree { get; }

    /// <summary>Shared memory whose file is handed over, all of it allocated?</summary>
    public bool IsFile { get; }

    /// <summary>Does the handler die in the middle of something, and a standby go on?</summary>
    public bool IsKilled { get; }

    /// <summary>Is it registered for minor faults as well?</summary>
    public bool HasMinor { get; }

    public ulong Pages { get; }

    public int Regions { get; }

    public int Vcpus { get; }

    /// <summary>How often a call fails that would not have to.</summary>
    public int FaultsPerMille { get; }

    public bool HasUnmapEvent { get; }

    /// <summary>Can the handler look into the monitor's page tables?</summary>
    public bool KnowsPresence { get; }

    /// <summary>Does the monitor write-protect pages?</summary>
    public bool WritesProtected { get; }

    public Pages.PushOrderKind? Push { get; }

    public ulong Chunk { get; }

    public ulong PushPages { get; }

    public bool IsMapped { get; }

    public bool FromSource { get; }

    public int Steps { get; }

    /// <summary>Is the handler asked to put all in place and to let go?</summary>
    public bool Stops { get; }

    /// <summary>Does memory run short at some time, and stay so?</summary>
    public bool IsStuck { get; }

    /// <summary>Does the monitor die?</summary>
    public bool Dies { get; }

    /// <summary>Does some call answer what nothing can be done about?</summary>
    public bool IsFatal { get; }

    /// <summary>
    /// May the monitor put a page in place itself? Not where its being there could never be shown, and has to be.
    /// </summary>
    public bool HasRival => !IsSecretFree && !IsFile && (KnowsPresence || Granule == 1 || !Stops);

    /// <summary>In one line.</summary>
    public string Describe() =>
        $"granule {Granule}, shared {IsShared}, secret-free {IsSecretFree}, minor {HasMinor}, pages {Pages}, regions "
        + $"{Regions}, vcpus {Vcpus}, "
        + $"faults {FaultsPerMille}, unmap event {HasUnmapEvent}, knows presence {KnowsPresence}, protects "
        + $"{WritesProtected}, push {Push}, chunk {Chunk}, push pages {PushPages}, mapped {IsMapped}, source "
        + $"{FromSource}, steps {Steps}, stops {Stops}, stuck {IsStuck}, dies {Dies}, fatal {IsFatal}, file {IsFile}, "
        + $"killed {IsKilled}";
}
