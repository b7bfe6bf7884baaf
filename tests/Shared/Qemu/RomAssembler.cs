using System.Buffers.Binary;

namespace Userfault.Tests;

/// <summary>
/// The few instructions of 32-bit x86 that <see cref="GuestRom"/> consists of. Jumps are short; a label may be used
/// before it is marked. ebp is never a base, since its encoding without a displacement has another meaning.
/// </summary>
internal sealed class RomAssembler
{
    private readonly List<byte> _code = [];
    private readonly List<int> _labels = [];
    private readonly List<(int At, int Label)> _jumps = [];

    /// <summary>A new jump target, to be marked later.</summary>
    public int NewLabel()
    {
        _labels.Add(-1);
        return _labels.Count - 1;
    }

    /// <summary>A new jump target at the current position.</summary>
    public int Here()
    {
        var label = NewLabel();
        Mark(label);
        return label;
    }

    /// <summary>Places the label at the current position.</summary>
    public void Mark(int label) => _labels[label] = _code.Count;

    /// <summary>mov to, value</summary>
    public void Set(RomRegister to, uint value) => With32((byte)(0xb8 + (int)to), value);

    /// <summary>mov to, from</summary>
    public void Copy(RomRegister to, RomRegister from) => Registers(0x89, (int)from, to);

    /// <summary>xor register, register</summary>
    public void Clear(RomRegister register) => Registers(0x31, (int)register, register);

    /// <summary>add to, value</summary>
    public void Add(RomRegister to, uint value)
    {
        Registers(0x81, 0, to);
        Word(value);
    }

    /// <summary>add to, from</summary>
    public void Add(RomRegister to, RomRegister from) => Registers(0x01, (int)from, to);

    /// <summary>and register, value</summary>
    public void And(RomRegister register, sbyte value)
    {
        Registers(0x83, 4, register);
        _code.Add((byte)value);
    }

    /// <summary>cmp register, value</summary>
    public void Compare(RomRegister register, uint value)
    {
        Registers(0x81, 7, register);
        Word(value);
    }

    /// <summary>shl register, bits</summary>
    public void ShiftLeft(RomRegister register, byte bits)
    {
        Registers(0xc1, 4, register);
        _code.Add(bits);
    }

    /// <summary>imul to, from, value</summary>
    public void Multiply(RomRegister to, RomRegister from, uint value)
    {
        Registers(0x69, (int)to, from);
        Word(value);
    }

    /// <summary>imul to, from</summary>
    public void Multiply(RomRegister to, RomRegister from)
    {
        _code.Add(0x0f);
        Registers(0xaf, (int)to, from);
    }

    /// <summary>mul by: edx:eax = eax * by</summary>
    public void MultiplyWide(RomRegister by) => Registers(0xf7, 4, by);

    /// <summary>inc register</summary>
    public void Increment(RomRegister register) => _code.Add((byte)(0x40 + (int)register));

    /// <summary>dec register</summary>
    public void Decrement(RomRegister register) => _code.Add((byte)(0x48 + (int)register));

    /// <summary>mov [at], from</summary>
    public void Store(RomRegister at, RomRegister from) => Memory(0x89, (int)from, at);

    /// <summary>cmp register, [at]</summary>
    public void CompareMemory(RomRegister register, RomRegister at) => Memory(0x3b, (int)register, at);

    /// <summary>inc dword [at]</summary>
    public void IncrementMemory(RomRegister at) => Memory(0xff, 0, at);

    /// <summary>add to, [table + 4 * index]</summary>
    public void AddEntry(RomRegister to, RomRegister index, uint table) => Entry(0x03, (int)to, index, table);

    /// <summary>inc dword [table + 4 * index]</summary>
    public void IncrementEntry(RomRegister index, uint table) => Entry(0xff, 0, index, table);

    /// <summary>mov al, value; out port, al</summary>
    public void Out(byte port, char value) => _code.AddRange([0xb0, (byte)value, 0xe6, port]);

    /// <summary>jmp label</summary>
    public void Jump(int label) => Jump(0xeb, label);

    /// <summary>jz label (je)</summary>
    public void JumpIfZero(int label) => Jump(0x74, label);

    /// <summary>jnz label (jne)</summary>
    public void JumpIfNotZero(int label) => Jump(0x75, label);

    /// <summary>The code, with all jumps resolved.</summary>
    /// <exception cref="InvalidOperationException">A label was never marked, or is too far away.</exception>
    public byte[] ToArray()
    {
        byte[] code = [.. _code];
        foreach (var (at, label) in _jumps)
        {
            var distance = _labels[label] - (at + 1);
            if (_labels[label] < 0 || distance is < sbyte.MinValue or > sbyte.MaxValue)
                throw new InvalidOperationException($"label {label} cannot be reached from offset {at}");
            code[at] = (byte)distance;
        }

        return code;
    }

    private void Jump(byte opcode, int label)
    {
        _code.AddRange([opcode, 0]);
        _jumps.Add((_code.Count - 1, label));
    }

    // ModRM: [7:6] mod, [5:3] reg, [2:0] rm
    private void Registers(byte opcode, int register, RomRegister rm) =>
        _code.AddRange([opcode, (byte)(0xc0 | (register << 3) | (int)rm)]);

    private void Memory(byte opcode, int register, RomRegister at) =>
        _code.AddRange([opcode, (byte)((register << 3) | (int)at)]);

    // rm 4: a SIB byte follows; base 5 without mod: a displacement of 32 bits instead of a base.
    private void Entry(byte opcode, int register, RomRegister index, uint table)
    {
        _code.AddRange([opcode, (byte)((register << 3) | 4), (byte)(0x80 | ((int)index << 3) | 5)]);
        Word(table);
    }

    private void With32(byte opcode, uint value)
    {
        _code.Add(opcode);
        Word(value);
    }

    private void Word(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _code.AddRange(bytes);
    }
}
