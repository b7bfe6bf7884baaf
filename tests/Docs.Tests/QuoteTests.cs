namespace Userfault.Docs.Tests;

/// <summary>Documents quote compiled code: <c>quote: file#region</c> above a block names the region.</summary>
public class QuoteTests
{
    [Fact]
    public void Quoted_source_is_the_source()
    {
        var quotes = Document.All.SelectMany(static d => d.Blocks).Where(static b => b.Quotes is not null).ToList();
        Assert.NotEmpty(quotes);
        foreach (var block in quotes)
            Assert.Equal(Region(block.Quotes!), block.Text);
    }

    [Fact]
    public void No_code_is_shown_that_is_not_compiled()
    {
        var loose =
            from document in Document.All
            from block in document.Blocks
            where block.Language == "csharp" && block.Quotes is null
            select $"{document.Path}:{block.Line}: quote a region of samples/";
        Assert.Empty(loose);
    }

    private static string Region(string quotes)
    {
        var parts = quotes.Split('#');
        var lines = File.ReadAllLines(Repository.At(parts[0]));
        var start = Array.IndexOf(lines, $"#region {parts[1]}");
        Assert.True(start >= 0, $"{parts[0]} has no region {parts[1]}");
        return string.Join('\n', lines[(start + 1)..Array.IndexOf(lines, "#endregion", start)]);
    }
}
