using System.Collections.Concurrent;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// A handler in this process, whose monitors are this process too, so it must never stop one. Its lines are kept, and
/// waited for.
/// </summary>
internal sealed unsafe class HandlerRig : IDisposable
{
    public const ulong Pages = 256;
    private static readonly TimeSpan LinePatience = Patience.Of(TimeSpan.FromSeconds(60));
    private readonly TemporaryFolder _folder = new();
    private readonly BlockingCollection<string> _lines = [];
    private readonly LineLog _log;

    private readonly FileImage? _file;
    private readonly PageSupply? _ownSupply;

    /// <summary>Options of a handler that brings each page by itself, when it is touched.</summary>
    public static HandlerOptions PageByPage(HandlerOptions options) =>
        options with
        {
            Pager = new PagerSettings
            {
                ChunkPages = 1,
                Push = null,
                SpinNs = 0,
            },
        };

    /// <summary>A handler of a synthetic image, or of a mapped file with the same content.</summary>
    public HandlerRig(
        Func<HandlerOptions, HandlerOptions>? change = null,
        PageSupply? supply = null,
        bool isMapped = false
    )
    {
        Image = new SyntheticImage(new SyntheticSettings(Pages));
        if (isMapped)
        {
            _file = WriteImage();
            supply = _ownSupply = new PageSupply(_file);
        }
        _log = new LineLog(_lines.Add);
        var options = new HandlerOptions
        {
            StopsMonitors = false,
            Log = _log,
            HandshakeTimeout = TimeSpan.FromMilliseconds(200),
        };
        Server = new HandlerServer(supply ?? new PageSupply(Image), change?.Invoke(options) ?? options);
        Server.Listen(UnixSocket.Listen(Path));
    }

    public string Path => _folder.At("s");

    /// <summary>The mapped file.</summary>
    public string ImagePath => _file!.Name;

    public SyntheticImage Image { get; }

    public HandlerServer Server { get; }

    /// <summary>Waits for a line of an event; answers it.</summary>
    public string Line(HandlerEvent what) => Line($": {what}: ");

    /// <summary>Waits for a line that holds a text; answers it.</summary>
    public string Line(string part)
    {
        while (_lines.TryTake(out var line, LinePatience))
        {
            if (line.Contains(part, StringComparison.Ordinal))
                return line;
        }
        Assert.Fail($"no line with '{part}' came");
        return "";
    }

    /// <summary>Did a line of an event come by now? Lines before it are dropped.</summary>
    public bool HasLine(HandlerEvent what, int withinMs = 0)
    {
        while (_lines.TryTake(out var line, withinMs))
        {
            if (line.Contains($": {what}: ", StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    /// <summary>A monitor of the secret-free form that keeps to the handshake; what it asks is the test's.</summary>
    public SecretFreeVm ConnectSecretFree() => new(this);

    /// <summary>One that a dead handler has served: handed over by the test.</summary>
    public SecretFreeVm MakeSecretFree() => new(this, connects: false);

    /// <summary>A VM that keeps to the protocol.</summary>
    public GoodVm Connect(UffdFeatures features = UffdFeatures.EventRemove) => new(this, features, MemoryKind.Private);

    /// <summary>The same with memory of its own kind.</summary>
    public GoodVm Connect(MemoryKind kind, UffdFeatures features = UffdFeatures.EventRemove) =>
        new(this, features, kind);

    public void Dispose()
    {
        Server.Dispose();
        _log.Dispose();
        _ownSupply?.Dispose();
        _file?.Dispose();
        _folder.Dispose();
    }

    private FileImage WriteImage()
    {
        var path = _folder.At("image");
        var zeros = new byte[Page.Size];
        var scratch = stackalloc byte[Page.Size];
        using (var file = File.Create(path))
        {
            for (ulong page = 0; page < Pages; page++)
            {
                var bytes = Image.Read(new MemoryPage(page), scratch);
                file.Write(bytes == null ? zeros : new ReadOnlySpan<byte>(bytes, Page.Size));
            }
        }
        return MemoryImages.OpenRaw(path);
    }

    /// <summary>Descriptors of the secret-free form, handed over; every bit set.</summary>
    internal sealed class SecretFreeVm : IDisposable
    {
        private readonly MemoryMapping _memory;
        private readonly MemoryMapping _bits;
        private readonly Userfaultfd _uffd;
        private readonly UnixSocket? _theirs;

        public SecretFreeVm(HandlerRig rig, bool connects = true)
        {
            File = Memfd.Create("guest", Pages << Page.Shift);
            BitmapFd = Memfd.Create("bitmap", Pages / 8);
            _memory = MemoryMapping.Of(File, Pages << Page.Shift);
            _bits = MemoryMapping.Of(BitmapFd, Pages / 8);
            Missing = UserfaultBitmap.Over((ulong*)_bits.Start, Pages);
            Missing.SetAll();
            _uffd = Userfaultfd.Open(UffdFeatures.MissingShmem | UffdFeatures.MinorShmem);
            _uffd.Register(_memory.Address, _memory.Bytes, UffdRegisterModes.Missing | UffdRegisterModes.Minor);
            if (!connects)
            {
                (Socket, _theirs) = UnixSocket.Pair();
                return;
            }
            Socket = UnixSocket.Connect(rig.Path);
            MonitorHandshake.Send(Socket, [Region], _uffd.Fd, File, BitmapFd);
        }

        /// <summary>What a handler holds of it, as a standby takes it over.</summary>
        public VmDescriptors Descriptors(VmState state) =>
            new(
                7,
                Userfaultfd.Adopt(_uffd.Fd.Duplicate()),
                new RegionMap([Region]),
                state,
                _theirs!,
                PidFd.Open(Environment.ProcessId),
                new GuestMemfdSide(File.Duplicate(), BitmapFd.Duplicate(), Pages)
            );

        /// <summary>The monitor's own mapping of a page.</summary>
        public byte* At(ulong page) => _memory.Start + (page << Page.Shift);

        public Userfaultfd Uffd => _uffd;

        private GuestRegion Region => new(_memory.Address, _memory.Bytes, 0, Page.Size);

        public OwnedFd File { get; }

        public OwnedFd BitmapFd { get; }

        public UserfaultBitmap Missing { get; }

        public UnixSocket Socket { get; }

        /// <summary>Reads answers until there are so many; answers their text.</summary>
        public string Answers(int count)
        {
            var text = new System.Text.StringBuilder();
            var cutter = new JsonCutter(1 << 16);
            while (count > 0)
            {
                var bytes = Socket.Receive(cutter.Room, []);
                Assert.True(bytes > 0, $"closed, {count} answers before the last");
                cutter.Fill(bytes);
                while (cutter.TryNext(out var json))
                {
                    text.Append(System.Text.Encoding.UTF8.GetString(json));
                    count--;
                }
            }
            return text.ToString();
        }

        public void Dispose()
        {
            Socket.Dispose();
            _uffd.Dispose();
            _memory.Dispose();
            Missing.Dispose();
            _bits.Dispose();
            File.Dispose();
            BitmapFd.Dispose();
        }
    }

    /// <summary>Memory of the whole image, registered and handed over; every access by native calls.</summary>
    internal sealed class GoodVm : IDisposable
    {
        private readonly HandlerRig _rig;

        private readonly OwnedFd? _file;

        public GoodVm(HandlerRig rig, UffdFeatures features, MemoryKind kind)
        {
            const ulong bytes = Pages << Page.Shift;
            _rig = rig;
            var (shmem, modes) = (UffdFeatures.None, UffdRegisterModes.Missing);
            if (kind == MemoryKind.Private)
            {
                Memory = MemoryMapping.Anonymously(bytes);
            }
            else
            {
                _file = Memfd.Create("guest", bytes);
                if (kind == MemoryKind.File)
                    Memfd.Allocate(_file, bytes);
                Memory = MemoryMapping.Of(_file, bytes);
                shmem = UffdFeatures.MissingShmem | UffdFeatures.MinorShmem;
                modes |= UffdRegisterModes.Minor;
            }
            Memory.ForbidHugePages();
            Uffd = Userfaultfd.Open(features | shmem);
            Uffd.Register(Memory.Address, Memory.Bytes, modes);
            Socket = UnixSocket.Connect(rig.Path);
            GuestRegion[] regions = [new GuestRegion(Memory.Address, Memory.Bytes, 0, Page.Size)];
            if (_file is null)
                MonitorHandshake.Send(Socket, regions, Uffd.Fd);
            else
                MonitorHandshake.Send(Socket, regions, Uffd.Fd, _file);
        }

        /// <summary>Gives pages back.</summary>
        public void GiveBack(ulong page, ulong count)
        {
            if (_file is null)
                Memory.Discard(page << Page.Shift, count << Page.Shift);
            else
                Memory.Remove(page << Page.Shift, count << Page.Shift);
        }

        public MemoryMapping Memory { get; }

        public Userfaultfd Uffd { get; }

        public UnixSocket Socket { get; }

        public byte* At(ulong page) => Memory.Start + (page << Page.Shift);

        /// <summary>Does the page hold what the image says?</summary>
        public bool IsRight(ulong page) => PageCheck.IsRight(_rig.Image, page, At(page));

        public bool IsZero(ulong page) => PageCheck.IsZero(At(page));

        public void Dispose()
        {
            Socket.Dispose();
            Uffd.Dispose();
            Memory.Dispose();
            _file?.Dispose();
        }
    }
}
