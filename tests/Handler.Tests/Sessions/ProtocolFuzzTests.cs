using System.Globalization;
using System.Text;
using Userfault.Linux;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// Random bytes by seed: handshakes that were broken, and requests in every shape that JSON allows, split anywhere.
/// </summary>
[Collection(nameof(OneAtATime))]
public unsafe class ProtocolFuzzTests
{
    /// <summary>Each is refused or served; nobody else notices, and no descriptor stays behind.</summary>
    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Broken_handshakes_cost_nobody_else_anything(int seed)
    {
        Here.NeedsUserfaultfd();
        const int cases = 60;
        var random = new Random(seed);
        using var rig = new HandlerRig(o =>
            o with
            {
                Pager = new PagerSettings { ChunkPages = 1, Push = null },
            }
        );
        using var good = rig.Connect();
        Assert.True(good.IsRight(0));
        rig.Line(HandlerEvent.Began);
        var before = Here.Descriptors();
        for (var i = 0; i < cases; i++)
        {
            using var memory = MemoryMapping.Anonymously(1 << 20);
            var descriptors = Enumerable.Range(0, random.Next(4)).Select(_ => Make(random)).ToArray();
            var bytes = Broken(
                random,
                Encoding.UTF8.GetBytes(
                    $$"""[{"base_host_virt_addr":{{memory.Address}},"size":1048576,"offset":"""
                        + """0,"page_size":4096,"page_size_kib":4096}]"""
                )
            );
            using (var socket = UnixSocket.Connect(rig.Path))
                SendSplit(random, socket, bytes, descriptors);
            foreach (var fd in descriptors)
                fd.Dispose();
            // A session says one of these first, whatever it is.
            rig.Line(": ");
        }
        for (ulong page = 0; page < HandlerRig.Pages; page++)
            Assert.True(good.IsRight(page), $"seed {seed}: page {page}");
        // Those that were served are left with nothing in place and no socket: their monitor lives.
        rig.Server.Stop();
        good.Dispose();
        Eventually.HoldsHere(
            () => Here.Descriptors() <= before,
            () => $"seed {seed}: {before} descriptors before, {Here.Descriptors()} after"
        );
    }

    /// <summary>
    /// Every request before the first that is wrong has its answer, in order; that one ends the VM with a line.
    /// </summary>
    [SkippableTheory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    public void Requests_in_any_shape_are_answered_up_to_the_first_that_is_wrong(int seed, bool endsWrong)
    {
        Here.NeedsUserfaultfd();
        const int requests = 200;
        var random = new Random(seed);
        using var rig = new HandlerRig(o =>
            o with
            {
                Pager = new PagerSettings { ChunkPages = 4, Push = null },
            }
        );
        using var vm = rig.ConnectSecretFree();
        var stream = new List<byte>();
        var expected = new StringBuilder();
        for (var i = 0; i < requests; i++)
        {
            var (vcpu, page, flags) = (random.Next(64), random.Next((int)HandlerRig.Pages), random.Next(32));
            stream.AddRange(Encoding.UTF8.GetBytes(Shaped(random, vcpu, page, flags, i)));
            expected.Append(
                CultureInfo.InvariantCulture,
                $$"""{"vcpu":{{vcpu}},"offset":{{page * 4096}},"len":4096,"flags":"""
                    + $$"""{{flags}},"token":{{i}},"zero":false}"""
            );
        }
        string[] wrong =
        [
            "}",
            "{\"vcpu\":0}",
            "null",
            "{\"vcpu\":0,\"offset\":1}",
            "\u0000",
            "{\"vcpu\":0,\"offset\":0,\"flags\":1.5}",
            "{]",
        ];
        if (endsWrong)
            stream.AddRange(Encoding.UTF8.GetBytes(wrong[random.Next(wrong.Length)]));
        var sender = new Thread(() => SendSplit(random, vm.Socket, [.. stream], []));
        sender.Start();
        Assert.Equal(expected.ToString(), vm.Answers(requests));
        sender.Join();
        if (endsWrong)
            rig.Line(HandlerEvent.Failed);
        else
            Assert.Equal(requests, rig.Server.Report().Single().Counters.Requests);
    }

    /// <summary>
    /// Whatever the pieces, and whoever goes on with them after a death: the same values, one at most twice.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_stream_is_cut_the_same_however_it_comes(int seed)
    {
        var random = new Random(seed);
        var values = Enumerable.Range(0, 300).Select(i => Shaped(random, i, i % 7, 16, i).Trim()).ToList();
        var stream = Encoding.UTF8.GetBytes(string.Join(random.Next(2) == 0 ? "" : " \n", values));
        var memory = new byte[4096];
        fixed (byte* at = memory)
        {
            var cutter = new JsonCutter(at, memory.Length);
            var found = new List<string>();
            var sent = 0;
            while (found.Count < values.Count)
            {
                if (cutter.TryNext(out var value))
                {
                    var text = Encoding.UTF8.GetString(value);
                    // A takeover may bring the last one again, where it was not said to be taken.
                    if (found.Count == 0 || found[^1] != text)
                        found.Add(text);
                    if (random.Next(4) > 0)
                        cutter.Take();
                    if (random.Next(10) == 0)
                        cutter = new JsonCutter(at, memory.Length);
                    continue;
                }
                var room = cutter.Room;
                var piece = Math.Min(Math.Min(random.Next(1, 200), room.Length), stream.Length - sent);
                Assert.True(
                    piece > 0,
                    $"seed {seed}: nothing is left, and {values.Count - found.Count} values were not found"
                );
                stream.AsSpan(sent, piece).CopyTo(room);
                cutter.Fill(piece);
                sent += piece;
            }
            Assert.Equal(values, found);
        }
    }

    // The same request with its fields in any order, blanks, escapes, and fields that nobody knows.
    private static string Shaped(Random random, int vcpu, int page, int flags, int token)
    {
        List<string> fields =
        [
            $"\"vcpu\":{vcpu}",
            $"\"offset\":{page * 4096}",
            $"\"flags\":{flags}",
            $"\"token\":{token}",
        ];
        if (random.Next(3) == 0)
            fields[1] = $"\"off\\u0073et\":{page * 4096}";
        if (random.Next(4) == 0)
            fields.Add("\"more\":{\"a\":[1,\"}{][\\\"\"]}");
        if (random.Next(4) == 0)
            fields.Add("\"\\n\\\\\":\"\u00e9\"");
        var order = fields.ToArray();
        random.Shuffle(order);
        string Blank() => random.Next(4) == 0 ? " \t\r\n"[..random.Next(1, 5)] : "";
        return $"{Blank()}{{{string.Join(',', order.Select(f => Blank() + f + Blank()))}}}{Blank()}";
    }

    private static byte[] Broken(Random random, byte[] good)
    {
        var bytes = good.ToList();
        for (var changes = random.Next(4); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 20)));
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(0, random.Next(bytes.Count)));
                    break;
                case 3:
                    bytes.Insert(at, (byte)"0123456789[]{},:\"\\-e."[random.Next(21)]);
                    break;
                default:
                    bytes.InsertRange(
                        at,
                        Encoding.UTF8.GetBytes(random.NextInt64().ToString(CultureInfo.InvariantCulture))
                    );
                    break;
            }
            if (bytes.Count == 0)
                bytes.Add((byte)'[');
        }
        return [.. bytes];
    }

    private static void SendSplit(Random random, UnixSocket socket, byte[] bytes, OwnedFd[] descriptors)
    {
        try
        {
            for (var sent = 0; sent < bytes.Length; )
            {
                var piece = Math.Min(random.Next(1, 400), bytes.Length - sent);
                if (sent == 0)
                    socket.Send(bytes.AsSpan(0, piece), descriptors);
                else
                    socket.Send(bytes.AsSpan(sent, piece));
                sent += piece;
            }
        }
        catch (LinuxException e) when (e.Error is LinuxErrno.EPIPE or LinuxErrno.ECONNRESET)
        {
            // Refused before the last of it was sent.
        }
    }

    private static OwnedFd Make(Random random) =>
        random.Next(4) switch
        {
            0 => Memfd.Create("guest", 1 << 20),
            1 => Memfd.Create("bitmap", 4096),
            _ => Userfaultfd.Open(UffdFeatures.EventRemove).Fd,
        };
}
