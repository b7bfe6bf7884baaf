using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Userfault.Handler;

/// <summary>
/// Cuts a byte stream into whole JSON objects or arrays, which may come split or glued, with or without blanks between
/// them. It looks at brackets and strings alone; whether a value is valid is its reader's business. Holds one buffer
/// and allocates nothing after construction.
/// </summary>
/// <remarks>
/// The buffer may be shared with a process that takes over: what is not filled is zero, which JSON never is, so that
/// even bytes that came in the moment of a death are found. A value counts as taken when <see cref="Take"/> says so, or
/// when the next one is asked for.
/// </remarks>
public sealed unsafe class JsonCutter
{
    private readonly byte* _buffer;
    private readonly int _size;
    private readonly int* _taken;
    private readonly byte[]? _own;
    private int _filled;
    private int _seen;
    private int _next;
    private int _depth;
    private bool _isInString;
    private bool _isEscaped;

    /// <summary>A cutter with a buffer of its own.</summary>
    /// <param name="mostBytes">The longest value; a longer one is refused.</param>
    public JsonCutter(int mostBytes)
    {
        _own = GC.AllocateArray<byte>(sizeof(int) + mostBytes, pinned: true);
        _taken = (int*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_own));
        _buffer = (byte*)(_taken + 1);
        _size = mostBytes;
    }

    /// <summary>A cutter over memory that is zero, or that another process has used as its cutter's.</summary>
    /// <param name="memory">An int for how much is taken, then the buffer.</param>
    /// <param name="bytes">Bytes of both.</param>
    public JsonCutter(byte* memory, int bytes)
    {
        _taken = (int*)memory;
        _buffer = memory + sizeof(int);
        _size = bytes - sizeof(int);
        *_taken = Math.Clamp(*_taken, 0, _size);
        var rest = new ReadOnlySpan<byte>(_buffer + *_taken, _size - *_taken);
        _filled = *_taken + (rest.IndexOf((byte)0) is var end and >= 0 ? end : rest.Length);
        _seen = _next = *_taken;
    }

    /// <summary>Room for more bytes; never empty unless a value is too long.</summary>
    public Span<byte> Room => new(_buffer + _filled, _size - _filled);

    /// <summary>What no value was made of yet.</summary>
    public ReadOnlySpan<byte> Rest => new(_buffer + _next, _filled - _next);

    /// <summary>Bytes were put into <see cref="Room"/>.</summary>
    public void Fill(int bytes) => _filled += bytes;

    /// <summary>The last value is held elsewhere from now on: who takes over does not find it here.</summary>
    public void Take() => Volatile.Write(ref *_taken, _next);

    /// <summary>The next whole value, valid until the next call.</summary>
    /// <exception cref="ProtocolException">Something that begins no object or array, or a value that is too
    /// long.</exception>
    public bool TryNext(out ReadOnlySpan<byte> value)
    {
        value = default;
        while (_depth == 0 && _next < _filled && _buffer[_next] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            _next++;
        *_taken = _next;
        _seen = Math.Max(_seen, _next);
        if (_depth == 0 && _next < _filled && _buffer[_next] is not ((byte)'{' or (byte)'['))
        {
            throw new ProtocolException(
                ProtocolError.Garbage,
                $"garbage: byte 0x{_buffer[_next]:x2} where JSON should begin"
            );
        }

        while (_seen < _filled)
        {
            if (!Step(_buffer[_seen++]))
                continue;
            value = new ReadOnlySpan<byte>(_buffer + _next, _seen - _next);
            _next = _seen;
            return true;
        }
        MakeRoom();
        return false;
    }

    // True where the value ends with this byte.
    private bool Step(byte b)
    {
        if (_isEscaped)
            _isEscaped = false;
        else if (_isInString && b == '\\')
            _isEscaped = true;
        else if (b == '"')
            _isInString = !_isInString;
        else if (!_isInString && b is (byte)'{' or (byte)'[')
            _depth++;
        else if (!_isInString && b is (byte)'}' or (byte)']')
            return --_depth == 0;
        return false;
    }

    private void MakeRoom()
    {
        if (_next == _filled)
        {
            // Zeros first: whoever looks at this moment finds nothing behind what is taken.
            new Span<byte>(_buffer, _filled).Clear();
            _filled = _seen = _next = *_taken = 0;
        }
        else if (_filled == _size && _next > 0)
        {
            var rest = _filled - _next;
            Buffer.MemoryCopy(_buffer + _next, _buffer, _size, rest);
            new Span<byte>(_buffer + rest, _filled - rest).Clear();
            _seen -= _next;
            (_filled, _next) = (rest, 0);
            *_taken = 0;
        }
        if (_filled == _size)
            throw new ProtocolException(ProtocolError.TooLong, $"a value longer than {_size} bytes");
    }
}
