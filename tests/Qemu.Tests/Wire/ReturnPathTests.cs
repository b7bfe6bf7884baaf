namespace Userfault.Qemu.Tests;

public class ReturnPathTests
{
    [Fact]
    public void Messages_are_cut_out_of_pieces_of_any_size()
    {
        var destination = new ModelDestination(("pc.ram", 100));
        destination.Touch("pc.ram", 3);
        destination.Touch("pc.ram", 4, namesBlock: false);
        var bytes = (byte[])[.. destination.TakeReplies(), 0, 99, 0, 3, 1, 2, 3, 0, 2, 0, 4, 0, 0, 0, 7];
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var reader = new ReturnPathReader(1024);
            var messages = new List<ReturnMessage>();
            foreach (var part in bytes.Chunk(piece))
            {
                reader.Append(part);
                while (reader.TryRead(out var message))
                    messages.Add(message);
            }

            // The unknown kind between them is passed over.
            Assert.Equal(
                [
                    new ReturnMessage(ReturnKind.RequestPagesOfBlock, Block: "pc.ram", Offset: 3 * 4096, Bytes: 4096),
                    new ReturnMessage(ReturnKind.RequestPages, Block: "pc.ram", Offset: 4 * 4096, Bytes: 4096),
                    new ReturnMessage(ReturnKind.Pong, 7),
                ],
                messages
            );
        }
    }

    [Fact]
    public void No_bytes_do_more_than_be_refused()
    {
        var random = new Random(2);
        var (refused, read) = (0, 0);
        for (var run = 0; run < 50_000; run++)
        {
            var destination = new ModelDestination(("pc.ram", 100));
            destination.Touch("pc.ram", (ulong)random.Next(100));
            var bytes = destination.TakeReplies();
            for (var change = random.Next(3); change > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var reader = new ReturnPathReader(1024);
            reader.Append(bytes.AsSpan(0, random.Next(bytes.Length + 1)));
            try
            {
                while (reader.TryRead(out _))
                    read++;
            }
            catch (ReturnPathException)
            {
                refused++;
            }
        }

        Assert.True(refused > 100 && read > 100, $"{refused} refused, {read} read");
    }

    [Theory]
    [InlineData("0001 0003 000000")]
    [InlineData("0003 000c 0000000000000000 00001000")]
    [InlineData("0003 000e 0000000000000000 00001000 05 61")]
    [InlineData("0004 000c 0000000000000000 00001000")]
    [InlineData("0005 0002 03 61")]
    [InlineData("0005 0002 01 61 0000000000100000")]
    [InlineData("0005 0002 01 61 0000000000000000 0000000000000000")]
    public void What_breaks_the_protocol_is_refused(string hex)
    {
        var reader = new ReturnPathReader(1024);
        reader.Append(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Throws<ReturnPathException>(() => reader.TryRead(out _));
    }
}
