namespace Userfault.Docs.Tests;

/// <summary>Documents quote compiled programs: a block with <c>quote: file#region</c> above it repeats that region.</summary>
public class QuoteTests
{
    [Fact]
    public void Quoted_source_is_the_source()
    {
        var quotes = (from document in Document.All from block in document.Blocks where block.Quotes is not null select (document, block)).ToList();
        Assert.NotEmpty(quotes);
        foreach (var (document, block) in quotes)
        {
            Assert.True(Region(block.Quotes!) == block.Text, $"{document.Path}:{block.Line} differs from {block.Quotes}:\n{Region(block.Quotes!)}");
        }
    }

    [Fact]
    public void No_code_is_shown_that_is_not_compiled()
    {
        var loose = from document in Document.All
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
