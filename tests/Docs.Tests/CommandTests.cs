namespace Userfault.Docs.Tests;

/// <summary>
/// Every command in README and docs/ runs as typed from a fresh clone. Blocks of <c>bash</c> are typed; a comment above
/// one names what it needs of the machine (<c>needs: kvm</c>). Other blocks show output, files, or what is typed
/// elsewhere.
/// </summary>
public class CommandTests
{
    // Clusters wait for each other most of the time: more shells than processors.
    private static readonly SemaphoreSlim Shells = new(Environment.ProcessorCount + 2);

    // All documents at once, a few at a time, the longest first.
    private static readonly Lazy<Dictionary<string, Task<string?>>> Runs = new(static () =>
        Document
            .All.OrderByDescending(static document => document.Commands.Length)
            .ToDictionary(static document => document.Path, static document => RunInTurn(document))
    );

    public static TheoryData<string> DocumentsWithCommands =>
        [.. Document.All.Where(static d => d.Blocks.Any(static b => b.IsCommands)).Select(static d => d.Path)];

    public static TheoryData<string, string> Needs
    {
        get
        {
            var needs = new TheoryData<string, string>();
            foreach (var document in Document.All)
            {
                foreach (var facility in document.Blocks.Select(static b => b.Needs).OfType<string>().Distinct())
                {
                    needs.Add(document.Path, facility);
                }
            }

            return needs;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(DocumentsWithCommands))]
    public async Task Commands_run_as_typed(string path)
    {
        Skip.If(OperatingSystem.IsWindows(), "the commands are for bash");
        var failure = await Runs.Value[path];
        Assert.True(failure is null, failure);
    }

    [SkippableTheory]
    [MemberData(nameof(Needs))]
    public void Commands_that_need_something_of_the_machine_are_typed_where_it_is(string path, string facility)
    {
        var reason = Facility.WhyNot(facility);
        Skip.If(reason is not null, $"{path}: {reason}");
        Assert.Contains(Document.Of(path).Blocks, block => block.Needs == facility && block.IsCommands);
    }

    [Fact]
    public void Every_block_says_what_it_is()
    {
        string[] known = ["", "bash", "console", "text", "csharp", "json", "yaml", "hocon", "xml"];
        var unknown =
            from document in Document.All
            from block in document.Blocks
            where !known.Contains(block.Language)
            select $"{document.Path}:{block.Line}: {block.Language}";
        Assert.Empty(unknown);
    }

    private static async Task<string?> RunInTurn(Document document)
    {
        await Shells.WaitAsync();
        try
        {
            return await Reader.Run(document);
        }
        finally
        {
            Shells.Release();
        }
    }
}
