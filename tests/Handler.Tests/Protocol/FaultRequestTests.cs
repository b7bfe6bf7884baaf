using System.Text;

namespace Userfault.Handler.Tests;

/// <summary>The secret-free form's messages, and how a stream is cut into them.</summary>
public class FaultRequestTests
{
    [Fact]
    public void Requests_and_answers_are_those_of_the_protocol()
    {
        var json = """{"vcpu":3,"offset":4096,"flags":16,"token":null}""";
        var request = FaultRequest.Parse(Encoding.UTF8.GetBytes(json));
        Assert.Equal(new FaultRequest(3, 4096, 16, null), request);
        var bytes = new byte[FaultRequest.MaxBytes];
        Assert.Equal(json, Encoding.UTF8.GetString(bytes, 0, request.WriteRequest(bytes)));
        Assert.Equal(
            """{"vcpu":3,"offset":4096,"len":4096,"flags":16,"token":null,"zero":false}""",
            Encoding.UTF8.GetString(bytes, 0, request.WriteReply(bytes, 4096))
        );
        Assert.Equal(
            """{"vcpu":3,"offset":4096,"len":8192,"flags":16,"token":7,"zero":false}""",
            Encoding.UTF8.GetString(bytes, 0, (request with { Token = 7 }).WriteReply(bytes, 8192))
        );
        Assert.Equal(
            new FaultRequest(0, 0, 0, 9),
            FaultRequest.Parse("""{"token":9,"new":[{}],"offset":0,"vcpu":0}"""u8)
        );
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"vcpu":null,"offset":4096,"flags":16,"token":null}""")]
    [InlineData("""{"vcpu":4294967296,"offset":4096}""")]
    [InlineData("""{"vcpu":0,"offset":-4096}""")]
    [InlineData("""{"vcpu":0,"offset":1e3}""")]
    [InlineData("""{"vcpu":0,"offset":99999999999999999999}""")]
    [InlineData("""{"vcpu":"0","offset":4096}""")]
    [InlineData("""{"vcpu":0,,}""")]
    [InlineData("""{"a":{"b":{"c":{"d":{"e":1}}}},"vcpu":0,"offset":0}""")]
    public void What_is_wrong_is_refused(string json) =>
        Assert.Throws<ProtocolException>(() => FaultRequest.Parse(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1000)]
    public void A_stream_is_cut_into_values_however_it_comes(int step)
    {
        string[] values = ["""{"vcpu":0,"offset":4096}""", "[]", """{"a":"}]{[","b":"\"}\\"}""", """[{"c":[1,[2]]}]"""];
        var stream = Encoding.UTF8.GetBytes(string.Join("", values[..2]) + " \n" + string.Join("\t", values[2..]));
        var cutter = new JsonCutter(64);
        var cut = new List<string>();
        for (var at = 0; at < stream.Length; )
        {
            var bytes = Math.Min(Math.Min(step, stream.Length - at), cutter.Room.Length);
            stream.AsSpan(at, bytes).CopyTo(cutter.Room);
            cutter.Fill(bytes);
            at += bytes;
            while (cutter.TryNext(out var value))
                cut.Add(Encoding.UTF8.GetString(value));
        }
        Assert.Equal(values, cut);
        Assert.True(cutter.Rest.IsEmpty);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("7")]
    [InlineData("{} x")]
    [InlineData("}")]
    [InlineData("{\"a\":\"0123456789012345678901234567890123456789")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")]
    public void Garbage_and_endless_values_are_refused(string text)
    {
        var cutter = new JsonCutter(32);
        Encoding.UTF8.GetBytes(text).AsSpan(0, Math.Min(text.Length, 32)).CopyTo(cutter.Room);
        cutter.Fill(Math.Min(text.Length, 32));
        Assert.Throws<ProtocolException>(() =>
        {
            while (cutter.TryNext(out _)) { }
        });
    }
}
