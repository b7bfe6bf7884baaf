namespace Userfault.Linux;

/// <summary>
/// Cuts a byte stream into whole JSON objects or arrays, which may come split or glued, with or without blanks between them.
/// It looks at brackets and strings alone; whether a value is valid is its reader's business. Holds one buffer and
/// allocates nothing after construction.
/// </summary>
/// <param name="mostBytes">The longest value; a longer one is refused.</param>
public sealed class JsonCutter(int mostBytes)
{
    private readonly byte[] _buffer = new byte[mostBytes];
    private int _filled;
    private int _taken;
    private int _seen;
    private int _depth;
    private bool _isInString;
    private bool _isEscaped;

    /// <summary>Room for more bytes; never empty unless a value is too long.</summary>
    public Span<byte> Room => _buffer.AsSpan(_filled);

    /// <summary>What no value was made of yet.</summary>
    public ReadOnlySpan<byte> Rest => _buffer.AsSpan(_taken, _filled - _taken);

    /// <summary>Bytes were put into <see cref="Room"/>.</summary>
    public void Fill(int bytes) => _filled += bytes;

    /// <summary>The next whole value, valid until the next call.</summary>
    /// <exception cref="ProtocolException">Something that begins no object or array, or a value that is too long.</exception>
    public bool TryNext(out ReadOnlySpan<byte> value)
    {
        value = default;
        while (_depth == 0 && _taken < _filled && _buffer[_taken] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            _taken++;
        _seen = Math.Max(_seen, _taken);
        if (_depth == 0 && _taken < _filled && _buffer[_taken] is not ((byte)'{' or (byte)'['))
            throw new ProtocolException($"garbage: byte 0x{_buffer[_taken]:x2} where JSON should begin");
        while (_seen < _filled)
        {
            if (!Step(_buffer[_seen++])) continue;
            value = _buffer.AsSpan(_taken, _seen - _taken);
            _taken = _seen;
            return true;
        }
        MoveToFront();
        return false;
    }

    // True where the value ends with this byte.
    private bool Step(byte b)
    {
        if (_isEscaped) _isEscaped = false;
        else if (_isInString && b == '\\') _isEscaped = true;
        else if (b == '"') _isInString = !_isInString;
        else if (!_isInString && b is (byte)'{' or (byte)'[') _depth++;
        else if (!_isInString && b is (byte)'}' or (byte)']') return --_depth == 0;
        return false;
    }

    private void MoveToFront()
    {
        if (_taken > 0)
        {
            _buffer.AsSpan(_taken, _filled - _taken).CopyTo(_buffer);
            _filled -= _taken;
            _seen -= _taken;
            _taken = 0;
        }
        if (_filled == _buffer.Length)
            throw new ProtocolException($"a value longer than {_buffer.Length} bytes");
    }
}
