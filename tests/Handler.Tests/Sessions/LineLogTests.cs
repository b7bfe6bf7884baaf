using System.Collections.Concurrent;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>An output that fails or stands still costs the threads that write lines nothing.</summary>
public class LineLogTests
{
    [Fact]
    public void Lines_are_written_in_their_order()
    {
        var written = new ConcurrentQueue<string>();
        using (var log = new LineLog(written.Enqueue))
        {
            for (var i = 0; i < 100; i++)
                log.Write($"{i}");
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(static i => $"{i}"), written);
    }

    [Fact]
    public void What_could_not_be_written_is_counted_and_said_when_it_can_be()
    {
        var written = new ConcurrentQueue<string>();
        var isFull = true;
        using var log = new LineLog(line =>
        {
            if (Volatile.Read(ref isFull))
                throw new IOException("No space left on device");
            written.Enqueue(line);
        });
        for (var i = 0; i < 5; i++)
            log.Write("lost");
        Eventually.HoldsHere(() => log.Lost == 5);
        Volatile.Write(ref isFull, false);
        // Nobody has to write another line for that.
        Eventually.HoldsHere(() => !written.IsEmpty);
        Assert.True(written.TryDequeue(out var line));
        Assert.StartsWith($"{HandlerEvent.LinesLost}: 5 ", line, StringComparison.Ordinal);
        log.Write("there");
        Eventually.HoldsHere(() => written.TryDequeue(out line));
        Assert.Equal("there", line);
    }

    [Fact]
    public void An_output_that_stands_still_holds_nobody_up()
    {
        Here.Ends(() =>
        {
            using var reads = new ManualResetEventSlim();
            var written = new ConcurrentQueue<string>();
            using var log = new LineLog(
                line =>
                {
                    reads.Wait();
                    written.Enqueue(line);
                },
                maxLines: 8
            );
            for (var i = 0; i < 100; i++)
                log.Write($"{i}");
            // One may be in the writer's hands.
            Assert.InRange(log.Lost, 91, 92);
            reads.Set();
            Eventually.HoldsHere(() => written.Any(static line => line.StartsWith($"{HandlerEvent.LinesLost}: ")));
        });
    }
}
