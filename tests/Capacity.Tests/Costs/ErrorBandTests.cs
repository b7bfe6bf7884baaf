using Userfault.Mmu;

namespace Userfault.Capacity.Tests;

public class ErrorBandTests
{
    public static TheoryData<Architecture, PagingMode, ReaderKind, int, int, int?, int, int[]> Regions() =>
        new()
        {
            // architecture, mode, readers, vCPUs: from, to, cells at the ends, ends with a single cell
            { Architecture.X86, PagingMode.Userfault, ReaderKind.None, 1, 1, 2, 2, [] },
            { Architecture.X86, PagingMode.Userfault, ReaderKind.None, 2, 2, 64, 4, [] },
            { Architecture.X86, PagingMode.Userfault, ReaderKind.None, 16, 2, 64, 4, [] },
            { Architecture.X86, PagingMode.Userfault, ReaderKind.None, 64, 2, 64, 4, [] },
            { Architecture.X86, PagingMode.Userfault, ReaderKind.None, 65, 64, null, 2, [] },
            { Architecture.X86, PagingMode.Userfaultfd, ReaderKind.One, 8, 2, 64, 4, [] },
            { Architecture.X86, PagingMode.Userfaultfd, ReaderKind.Several, 8, 8, 64, 4, [] },
            { Architecture.X86, PagingMode.Userfaultfd, ReaderKind.Several, 4, 2, 8, 4, [] },
            { Architecture.X86, PagingMode.Userfaultfd, ReaderKind.Own, 4, 1, 8, 1, [8] },
            { Architecture.X86, PagingMode.Userfaultfd, ReaderKind.Own, 32, 8, 64, 2, [8, 64] },
            { Architecture.Arm64, PagingMode.Userfault, ReaderKind.None, 4, 2, 8, 2, [2, 8] },
            { Architecture.Arm64, PagingMode.Userfault, ReaderKind.None, 8, 8, 64, 2, [8, 64] },
            { Architecture.Arm64, PagingMode.Both, ReaderKind.None, 8, 2, 64, 2, [2, 64] },
            { Architecture.Arm64, PagingMode.Userfaultfd, ReaderKind.Own, 8, 1, null, 0, [] },
        };

    [Theory]
    [MemberData(nameof(Regions))]
    public void A_region_lies_between_measured_cells(
        Architecture architecture,
        PagingMode mode,
        ReaderKind readers,
        int vcpus,
        int from,
        int? to,
        int cells,
        int[] single
    )
    {
        var band = ErrorBand.Of(Setup(architecture, mode, readers, vcpus));
        Assert.Equal((readers, from, to, cells), (band.Readers, band.FromVcpus, band.ToVcpus, band.Cells));
        Assert.Equal(single, band.SingleCellsAt);
        Assert.Equal(to is null || from == 1, band.IsExtrapolated);
        Assert.Equal(band.IsExtrapolated, band.WorstError is null);
    }

    [Fact]
    public void The_error_is_the_largest_of_the_cells_at_the_ends()
    {
        var cells = MeasurementTable.Training().Cells();
        var errors = cells
            .Zip(LeftOutErrors.Training)
            .Where(static c => c.First.Setup is { Architecture: Architecture.X86, Mode: PagingMode.Userfault })
            .SelectMany(static c => new[] { Math.Abs(c.Second.Cell), Math.Abs(c.Second.Curve) })
            .ToList();
        Assert.Equal(8, errors.Count);
        Assert.Equal(
            errors.Max(),
            ErrorBand.Of(Setup(Architecture.X86, PagingMode.Userfault, ReaderKind.None, 16)).WorstError
        );
    }

    [Fact]
    public void A_curve_without_a_middle_has_a_gap()
    {
        Assert.True(ErrorBand.Of(Setup(Architecture.X86, PagingMode.Userfault, ReaderKind.None, 16)).HasGap);
        Assert.False(ErrorBand.Of(Setup(Architecture.Arm64, PagingMode.Userfault, ReaderKind.None, 16)).HasGap);
        Assert.False(ErrorBand.Of(Setup(Architecture.X86, PagingMode.Userfault, ReaderKind.None, 65)).HasGap);
    }

    [Fact]
    public void What_was_never_measured_says_so()
    {
        var own = ErrorBand.Of(Setup(Architecture.Arm64, PagingMode.Userfaultfd, ReaderKind.Own, 64));
        Assert.Equal((2, false), (own.CellsElsewhere, own.IsMemoryMeasured));
        var anonymous = ErrorBand.Of(new PagingSetup(Architecture.Arm64, PagingMode.Userfault, true, 16));
        Assert.Equal((0, false, 2), (anonymous.CellsElsewhere, anonymous.IsMemoryMeasured, anonymous.Cells));
        Assert.True(ErrorBand.Of(new PagingSetup(Architecture.X86, PagingMode.Both, true, 16)).IsMemoryMeasured);
    }

    private static PagingSetup Setup(Architecture architecture, PagingMode mode, ReaderKind readers, int vcpus) =>
        new(architecture, mode, false, vcpus)
        {
            Readers = readers == ReaderKind.Several ? vcpus : 1,
            HasDescriptorPerVcpu = readers == ReaderKind.Own,
        };
}
