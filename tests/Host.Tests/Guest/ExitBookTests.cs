using Userfault.Cli;
using Userfault.Handler;

namespace Userfault.Host.Tests;

/// <summary>Which answers wake a vCPU of the stand-in monitor.</summary>
public class ExitBookTests
{
    private static readonly FaultRequest First = new(1, 4096, 16, 7);
    private static readonly FaultRequest Second = new(1, 8192, 16, 7);

    [Fact]
    public void An_answer_wakes_once_and_may_come_again()
    {
        var book = new ExitBook(2);
        book.Begin(First);
        Assert.Equal(ExitAnswer.Own, book.Take(First));
        Assert.Equal(ExitAnswer.Repeated, book.Take(First));
        book.Begin(Second);
        // The takeover's answer to the first comes when the vCPU waits for another page: it goes on waiting.
        Assert.Equal(ExitAnswer.Repeated, book.Take(First));
        Assert.Equal(ExitAnswer.Own, book.Take(Second));
        Assert.Equal(ExitAnswer.Foreign, book.Take(First));
        book.Begin(Second);
        Assert.Equal(ExitAnswer.Own, book.Take(Second));
    }

    public static TheoryData<uint, ulong, ulong, ulong?> Foreign =>
        new()
        {
            { 0, 4096, 16, 7 },
            { 2, 4096, 16, 7 },
            { uint.MaxValue, 4096, 16, 7 },
            { 1, 0, 16, 7 },
            { 1, 4096, 24, 7 },
            { 1, 4096, 16, null },
            { 1, 4096, 16, 8 },
        };

    [Theory]
    [MemberData(nameof(Foreign))]
    public void What_was_not_asked_is_the_handlers_mistake(uint vcpu, ulong offset, ulong flags, ulong? token)
    {
        var book = new ExitBook(2);
        book.Begin(First);
        Assert.Equal(ExitAnswer.Foreign, book.Take(new FaultRequest(vcpu, offset, flags, token)));
        Assert.Equal(ExitAnswer.Own, book.Take(First));
    }
}
