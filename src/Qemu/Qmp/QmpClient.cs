using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Userfault.Qemu;

/// <summary>
/// QEMU's machine protocol over a UNIX socket: JSON objects, one a line. Commands are answered in order; events come
/// between. One command at a time.
/// </summary>
public sealed class QmpClient : IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(100);
    private const int MaxLineBytes = 16 << 20;

    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;
    private readonly Channel<JsonObject> _answers = Channel.CreateUnbounded<JsonObject>();
    private readonly Channel<QmpEvent> _events = Channel.CreateUnbounded<QmpEvent>();
    private readonly string _path;
    private Task _loop = Task.CompletedTask;

    private QmpClient(string path, NetworkStream stream)
    {
        (_path, _stream) = (path, stream);
        _reader = new StreamReader(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    /// <summary>QEMU's version as it greets: "7.2.22".</summary>
    public string Version { get; private set; } = "";

    /// <summary>Has QEMU closed its monitor?</summary>
    public bool IsClosed => _answers.Reader.Completion.IsCompleted;

    /// <summary>Events that have arrived, in order; complete when the monitor is gone.</summary>
    public ChannelReader<QmpEvent> Events => _events.Reader;

    /// <summary>Connects; tries again for a while where nothing listens there yet.</summary>
    /// <param name="path">The socket of <c>-qmp unix:PATH,server</c>.</param>
    /// <param name="patience">For how long.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancelled">Ends the attempt.</param>
    /// <exception cref="QmpException">Nothing listens there, or it is no QEMU.</exception>
    public static async Task<QmpClient> ConnectAsync(
        string path,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancelled
    )
    {
        ArgumentNullException.ThrowIfNull(time);
        var startedAt = time.GetTimestamp();
        while (true)
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
            var left = patience - time.GetElapsedTime(startedAt);
            await using var timer = time.CreateTimer(
                _ => late.Cancel(),
                null,
                left > LeastPatience ? left : LeastPatience,
                Timeout.InfiniteTimeSpan
            );
            try
            {
                return await ConnectAsync(path, late.Token);
            }
            catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
            {
                throw new QmpException(
                    $"--qmp {path}: the monitor does not answer: another client holds it, or QEMU is stopped; give "
                        + "QEMU a monitor for this command alone"
                );
            }
            catch (QmpException e) when (e.InnerException is SocketException)
            {
                if (time.GetElapsedTime(startedAt) >= patience)
                    throw;
            }

            await Task.Delay(RetryAfter, time, cancelled);
        }
    }

    /// <summary>Connects and leaves the negotiation.</summary>
    /// <param name="path">The socket of <c>-qmp unix:PATH,server</c>.</param>
    /// <param name="cancelled">Ends the attempt.</param>
    /// <exception cref="QmpException">Nothing listens there, or it is no QEMU.</exception>
    public static async Task<QmpClient> ConnectAsync(string path, CancellationToken cancelled)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancelled);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new QmpException(
                $"--qmp {path}: {SocketProblem.Of(e)}; start QEMU with -qmp unix:{path},server=on,wait=off",
                e
            );
        }

        var client = new QmpClient(path, new NetworkStream(socket, ownsSocket: true));
        try
        {
            var greeting = await client.LineAsync(cancelled);
            if (greeting?["QMP"]?["version"]?["qemu"] is not JsonObject version)
                throw new QmpException($"--qmp {path}: no QEMU answers there");
            client.Version = $"{version["major"]}.{version["minor"]}.{version["micro"]}";
            client._loop = client.ReadAsync();
            _ = await client.ExecuteAsync("qmp_capabilities", null, cancelled);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has QEMU execute a command.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Its arguments, or null.</param>
    /// <param name="cancelled">Ends the wait.</param>
    /// <returns>What it returns.</returns>
    /// <exception cref="QmpException">It refuses, or is gone.</exception>
    public async Task<JsonNode?> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancelled)
    {
        var message = new JsonObject { ["execute"] = command };
        if (arguments is not null)
            message["arguments"] = arguments;
        try
        {
            await _stream.WriteAsync(Encoding.UTF8.GetBytes(message.ToJsonString() + "\n"), cancelled);
            var answer = await _answers.Reader.ReadAsync(cancelled);
            return answer["error"] is JsonObject error
                ? throw new QmpException($"--qmp {_path}: {command}: {error["desc"]}")
                : answer["return"]?.DeepClone();
        }
        catch (Exception e) when (e is IOException or ChannelClosedException)
        {
            throw new QmpException($"--qmp {_path}: QEMU has closed its monitor at {command}", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await _loop;
        _reader.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await LineAsync(CancellationToken.None) is { } line)
            {
                if (line["event"] is { } name)
                    _events.Writer.TryWrite(new QmpEvent($"{name}", line["data"] as JsonObject));
                else
                    _answers.Writer.TryWrite(line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or QmpException)
        {
            // Told to whoever waits for an answer.
        }
        finally
        {
            _answers.Writer.TryComplete();
            _events.Writer.TryComplete();
        }
    }

    private async Task<JsonObject?> LineAsync(CancellationToken cancelled)
    {
        var line = await _reader.ReadLineAsync(cancelled);
        if (line is null)
            return null;
        try
        {
            return line.Length <= MaxLineBytes ? JsonNode.Parse(line) as JsonObject : null;
        }
        catch (JsonException e)
        {
            throw new QmpException($"--qmp {_path}: no QEMU answers there", e);
        }
    }
}
