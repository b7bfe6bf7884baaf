using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors.Tests;

/// <summary>A synthetic guest with everything that a migration of it needs; disposed at the test's end.</summary>
internal sealed class Guest : IDisposable
{
    public Guest(ulong pages, ulong seed = 1, IWorkload? workload = null, bool tags = false)
    {
        Image = new SyntheticImage(new SyntheticSettings(pages, Seed: seed));
        Memory = tags ? new TagGuestMemory(pages) : new ByteGuestMemory(pages);
        Ledger = new StampLedger(pages);
        Content = new GuestContent(Image, Memory, Ledger);
        Workload =
            workload
            ?? new PatternWorkload(
                new PatternSettings(PatternKind.Random, 4, pages)
                {
                    AccessesPerVcpu = 500,
                    InstructionsPerSecond = 0,
                    Overlapping = true,
                }
            );
    }

    public SyntheticImage Image { get; }

    public IGuestMemory Memory { get; }

    public StampLedger Ledger { get; }

    public GuestContent Content { get; }

    public IWorkload Workload { get; }

    public MigrationPlan Plan(IGuestTime time, MigrationSettings settings) =>
        new()
        {
            Settings = settings,
            Content = Content,
            Workload = Workload,
            Time = time,
            Regions = [new GfnRange(new Gfn(0), Image.Pages)],
        };

    public Func<IPageSource> Source() => () => new LocalPageSource(Image);

    public void Dispose()
    {
        Memory.Dispose();
        Ledger.Dispose();
        Image.Dispose();
    }
}
