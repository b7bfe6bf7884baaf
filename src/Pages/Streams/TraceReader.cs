using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Reads <c>vcpu,instructions,gfn,kind</c> lines: decimal, decimal, hex, and R, W or X; <c>#</c> begins a comment line.
/// A vCPU's instructions never go back. Every defect is a one-line error that names the line.
/// </summary>
internal sealed class TraceReader : IDisposable
{
    private const int MostVcpus = 65536;

    // vCPUs that do nothing are part of a guest; of one that is named by a slip of the pen they are not.
    private const int MaxIdleVcpus = 256;

    // The longest line that says something: 5 + 20 + 18 + 1 digits and three commas. Comments may be longer.
    private const int BufferSize = 1 << 16;
    private readonly string _path;
    private readonly ulong _memoryPages;
    private readonly Stream _stream;
    private readonly SortedDictionary<int, List<TraceRow>> _rows = [];
    private readonly byte[] _buffer = new byte[BufferSize];
    private ulong _line;

    public TraceReader(string path, ulong memoryPages)
    {
        _path = path;
        _memoryPages = memoryPages;
        FileErrors.RefuseOtherKinds(path);
        try
        {
            var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                BufferSize
            );
            _stream = WholeGzip.IsGzip(file) ? WholeGzip.Of(file) : file;
        }
        catch (Exception e) when (FileErrors.Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>
    /// All rows by vCPU; as many vCPUs as the highest number names. Where more than <see cref="MaxIdleVcpus"/> of them
    /// had no row, only those that have one, in the order of their numbers.
    /// </summary>
    public TraceRow[][] ReadAll()
    {
        var held = 0;
        while (true)
        {
            var read = Fill(held);
            var bytes = _buffer.AsSpan(0, held + read);
            var rest = bytes;
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
                ReadLine(rest[..end]);
            if (read == 0)
            {
                // A last line without its newline counts.
                if (rest.Length > 0)
                    ReadLine(rest);
                break;
            }
            if (rest.Length == _buffer.Length)
            {
                _line++;
                throw Bad("the line is too long", "one access a line");
            }
            rest.CopyTo(_buffer);
            held = rest.Length;
        }
        if (_rows.Count == 0)
        {
            throw new PagingException(
                PagingError.BadTraceLine,
                _path,
                "no accesses",
                "give a trace with at least one row"
            );
        }

        var all = _rows.Keys.Max() + 1;
        return all - _rows.Count > MaxIdleVcpus
            ? [.. _rows.Values.Select(static r => r.ToArray())]
            : [.. Enumerable.Range(0, all).Select(i => _rows.GetValueOrDefault(i)?.ToArray() ?? [])];
    }

    public void Dispose() => _stream.Dispose();

    private int Fill(int held)
    {
        try
        {
            return _stream.Read(_buffer, held, _buffer.Length - held);
        }
        catch (InvalidDataException e)
        {
            throw new PagingException(
                PagingError.Truncated,
                _path,
                $"bad or truncated gzip behind line {_line}",
                "copy the file again, or gzip it anew",
                e
            );
        }
        catch (Exception e) when (FileErrors.Explain(e, _path) is { } explained)
        {
            throw explained;
        }
    }

    private void ReadLine(ReadOnlySpan<byte> line)
    {
        _line++;
        if (line.EndsWith("\r"u8))
            line = line[..^1];
        if (line.IsEmpty || line[0] == '#')
            return;
        var vcpu = Number(ref line, 10, "vcpu", "a decimal vCPU number");
        var instructions = Number(ref line, 10, "instructions", "a decimal count");
        var gfn = Number(ref line, 16, "gfn", "a page number in hex without 0x");
        if (vcpu >= MostVcpus)
            throw Bad($"vcpu {vcpu}", $"vCPU numbers end at {MostVcpus - 1}");
        if (gfn >= _memoryPages)
        {
            throw new PagingException(
                PagingError.OutsideMemory,
                $"{_path}: line {_line}",
                $"gfn 0x{gfn:x} lies outside the guest's {_memoryPages} pages",
                "give the image that the trace was made with"
            );
        }
        var kind = line switch
        {
            [(byte)'R'] => Access.Read,
            [(byte)'W'] => Access.Write,
            [(byte)'X'] => Access.Execute,
            _ => throw Bad("bad kind", "write R, W or X at the line's end"),
        };
        Append((int)vcpu, new TraceRow(instructions, new Gfn(gfn), kind));
    }

    private void Append(int vcpu, TraceRow row)
    {
        if (!_rows.TryGetValue(vcpu, out var rows))
            _rows.Add(vcpu, rows = []);
        if (rows.Count > 0 && rows[^1].Instructions > row.Instructions)
        {
            throw Bad(
                $"vcpu {vcpu} goes back from instruction {rows[^1].Instructions} to {row.Instructions}",
                "sort each vCPU's rows by instructions"
            );
        }
        rows.Add(row);
    }

    // The number up to the next comma, which is taken too.
    private ulong Number(ref ReadOnlySpan<byte> line, ulong radix, string what, string mend)
    {
        ulong value = 0;
        var i = 0;
        for (; i < line.Length && line[i] != ','; i++)
        {
            var digit = Digit(line[i]);
            if (digit >= radix || value > (ulong.MaxValue - digit) / radix)
                throw Bad($"bad {what}", mend);
            value = (value * radix) + digit;
        }
        if (i == 0 || i == line.Length)
            throw Bad(i == 0 ? $"no {what}" : $"nothing follows {what}", "write vcpu,instructions,gfn,kind");
        line = line[(i + 1)..];
        return value;
    }

    private static ulong Digit(byte c) =>
        c switch
        {
            >= (byte)'0' and <= (byte)'9' => c - (ulong)'0',
            >= (byte)'a' and <= (byte)'f' => c - (ulong)'a' + 10,
            >= (byte)'A' and <= (byte)'F' => c - (ulong)'A' + 10,
            _ => ulong.MaxValue,
        };

    private PagingException Bad(string problem, string mend) =>
        new(PagingError.BadTraceLine, $"{_path}: line {_line}", problem, mend);
}
