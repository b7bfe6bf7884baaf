namespace Userfault.Pages;

/// <summary>The order in which a pattern touches the pages of its share.</summary>
public enum PatternKind
{
    /// <summary>First to last, again and again.</summary>
    Sequential,

    /// <summary>Uniformly at random, with repetition.</summary>
    Random,

    /// <summary>By Zipf's law; the popular pages lie scattered.</summary>
    Zipf,

    /// <summary>Every n-th page, and when the share is through, the same from one page further on.</summary>
    Stride,
}
