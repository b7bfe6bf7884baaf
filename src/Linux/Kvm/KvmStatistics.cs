using System.Runtime.InteropServices;
using System.Text;

namespace Userfault.Linux;

/// <summary>
/// A VM's own statistics (KVM_GET_STATS_FD, since 5.14): a file that begins with a header, describes each value by its
/// name and its place, and holds the values.
/// </summary>
internal sealed unsafe class KvmStatistics : IDisposable
{
    private readonly OwnedFd _fd;
    private readonly Dictionary<string, long> _places = new(StringComparer.Ordinal);

    /// <exception cref="LinuxException">The file cannot be read.</exception>
    internal KvmStatistics(OwnedFd fd)
    {
        _fd = fd;
        var header = default(KvmStatsHeader);
        Read(0, new Span<byte>(&header, sizeof(KvmStatsHeader)));
        var descriptor = new byte[sizeof(KvmStatsDescriptor) + header.NameSize];
        for (var i = 0; i < header.Descriptors; i++)
        {
            Read(header.DescriptorOffset + (i * descriptor.Length), descriptor);
            var name = descriptor.AsSpan(sizeof(KvmStatsDescriptor));
            var end = name.IndexOf((byte)0);
            var fields = MemoryMarshal.Read<KvmStatsDescriptor>(descriptor);
            _places[Encoding.ASCII.GetString(end < 0 ? name : name[..end])] = header.DataOffset + fields.Offset;
        }
    }

    /// <summary>A value by its name, as it is now; null where this kernel has none.</summary>
    /// <exception cref="LinuxException">The file cannot be read.</exception>
    public long? this[string name]
    {
        get
        {
            if (!_places.TryGetValue(name, out var place))
                return null;
            long value = 0;
            Read(place, new Span<byte>(&value, sizeof(long)));
            return value;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();

    private void Read(long offset, Span<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            var read = Libc.ReadAt(_fd.Number, pointer, (nuint)bytes.Length, offset);
            if (read != bytes.Length)
                throw new LinuxException("statistics of a VM", read < 0 ? Errors.Last : LinuxErrno.EINVAL);
        }
    }
}
