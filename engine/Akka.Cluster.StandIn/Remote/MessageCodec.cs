using System.Text;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Remote.Wire;

namespace Akka.Remote;

/// <summary>
/// Messages to frames and back: <c>recipient | sender | serializer | manifest | payload</c>. A recipient must live here;
/// what cannot be read is dropped with a line in the log, what is no frame at all throws and costs the peer its link.
/// </summary>
internal sealed class MessageCodec(Remoting remoting)
{
    private readonly DirectMap<IActorRef> _arriving = new(4096);
    private readonly RefMap _leaving = new(1024);
    private readonly byte[] _noPath = [];
    private PayloadCodec? _payloads;

    [ThreadStatic]
    private static WireWriter? Spare;

    public PayloadCodec Payloads => _payloads ??= new PayloadCodec(remoting.System);

    public static WireWriter Rent()
    {
        var writer = Spare ?? new WireWriter(1024);
        Spare = null;
        return writer;
    }

    public static void Return(WireWriter writer)
    {
        writer.Clear();
        Spare = writer;
    }

    /// <summary>Writes a message; false, with a line in the log, where it has no serializer that may be used or is too long.</summary>
    public bool TryWriteMessage(WireWriter writer, RemoteActorRef recipient, object message, IActorRef sender)
    {
        try
        {
            writer.Byte((byte)FrameKind.Message);
            writer.ShortBlock(recipient.WirePath);
            writer.ShortBlock(PathOf(sender));
            Payloads.Write(writer, message);
        }
        catch (Exception trouble)
        {
            remoting.Log.Error(trouble, "A {0} for {1} could not be written", message.GetType(), recipient.Path);
            return false;
        }
        if (writer.Length <= remoting.Settings.MaximumFrameBytes)
            return true;
        remoting.Log.Error("A {0} for {1} takes {2} bytes, {3} are allowed (akka.remote.dot-netty.tcp.maximum-frame-size)", message.GetType(), recipient.Path, writer.Length, remoting.Settings.MaximumFrameBytes);
        return false;
    }

    public void WriteSystem(WireWriter writer, SystemMessageKind kind, IActorRef watchee, IActorRef watcher, bool existenceConfirmed)
    {
        writer.Byte((byte)kind);
        writer.ShortBlock(PathOf(watchee));
        writer.ShortBlock(PathOf(watcher));
        writer.Bool(existenceConfirmed);
    }

    public void DispatchMessage(WireReader reader)
    {
        var to = reader.ShortBlock();
        var from = reader.ShortBlock();
        var recipient = Resolve(to);
        var sender = from.IsEmpty ? ActorRefs.NoSender : Resolve(from);
        object message;
        try
        {
            message = Payloads.Read(ref reader);
            reader.End();
        }
        catch (Exception trouble) when (trouble is not WireFormatException)
        {
            remoting.Log.Warning("A message for {0} could not be read: {1}", recipient.Path, trouble.Message);
            return;
        }
        if (recipient is not IInternalActorRef { IsLocal: true })
            remoting.Log.Warning("A message for {0} came here, where that is not", recipient.Path);
        else if (message is ActorSelectionMessage selection)
            new ActorSelection(recipient, selection.Elements).Tell(selection.Message, sender ?? remoting.System.DeadLetters);
        else
            recipient.Tell(message, sender);
    }

    public void DispatchSystem(WireReader reader)
    {
        var kind = (SystemMessageKind)reader.Byte();
        var watchee = (IInternalActorRef)Resolve(reader.ShortBlock());
        var watcher = (IInternalActorRef)Resolve(reader.ShortBlock());
        var existenceConfirmed = reader.Bool();
        reader.End();
        switch (kind)
        {
            case SystemMessageKind.Watch when watchee.IsLocal && !watcher.IsLocal:
                remoting.InboundWatches.Add(watcher, watchee);
                watchee.SendSystemMessage(new Watch(watchee, watcher));
                break;
            case SystemMessageKind.Unwatch when watchee.IsLocal && !watcher.IsLocal:
                remoting.InboundWatches.Remove(watcher, watchee);
                watchee.SendSystemMessage(new Unwatch(watchee, watcher));
                break;
            case SystemMessageKind.Death when watcher.IsLocal && !watchee.IsLocal:
                remoting.Watches.Remove(watchee, watcher);
                watcher.SendSystemMessage(new DeathWatchNotification(watchee, existenceConfirmed, addressTerminated: false));
                break;
            default:
                throw new WireFormatException($"system message {kind} from {watcher.Path} about {watchee.Path}");
        }
    }

    private IActorRef Resolve(ReadOnlySpan<byte> path)
    {
        if (_arriving.Find(path) is { } known)
            return known;
        var actorPath = WireNames.Path(Encoding.UTF8.GetString(path));
        var actor = remoting.Provider.ResolveActorRef(actorPath);
        // Without a uid the path may mean another actor tomorrow; with one it means this actor or nobody. A local
        // actor that is not there (yet) is looked up each time.
        if (actorPath.Uid != 0 && actor is RemoteActorRef or ActorRefWithCell)
            _arriving.Add(path, actor);
        return actor;
    }

    private byte[] PathOf(IActorRef? actor)
    {
        switch (actor)
        {
            case null:
                return _noPath;
            case RemoteActorRef remote:
                return remote.WirePath;
        }
        if (_leaving.Find(actor) is { } known)
            return known;
        if (actor.Path is not { } path || ReferenceEquals(actor, remoting.System.DeadLetters))
            return _noPath;
        var bytes = Encoding.UTF8.GetBytes(path.ToSerializationFormatWithAddress(remoting.Self.Address));
        if (actor is ActorRefWithCell)
            _leaving.Add(actor, bytes);
        return bytes;
    }
}
