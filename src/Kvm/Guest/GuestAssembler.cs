namespace Userfault.Kvm;

/// <summary>
/// The few instructions of x86-64 that the guest's program consists of, with 64-bit operands, one-byte displacements
/// and short jumps to labels. A label may be used before it is marked.
/// </summary>
internal sealed class GuestAssembler
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

    /// <summary>Places the label at the current position.</summary>
    public void Mark(int label) => _labels[label] = _code.Count;

    /// <summary>mov to, [at + displacement]</summary>
    public void Load(GuestRegister to, GuestRegister at, sbyte displacement = 0) => Memory(0x8b, to, at, displacement);

    /// <summary>mov [at + displacement], from</summary>
    public void Store(GuestRegister at, sbyte displacement, GuestRegister from) => Memory(0x89, from, at, displacement);

    /// <summary>xchg [at + displacement], with: a single access that reads and writes, implicitly locked</summary>
    public void Exchange(GuestRegister at, sbyte displacement, GuestRegister with) =>
        Memory(0x87, with, at, displacement);

    /// <summary>lea to, [at + displacement]</summary>
    public void Address(GuestRegister to, GuestRegister at, sbyte displacement) => Memory(0x8d, to, at, displacement);

    /// <summary>cmp qword [at + displacement], value</summary>
    public void CompareMemory(GuestRegister at, sbyte displacement, sbyte value)
    {
        Memory(0x83, (GuestRegister)7, at, displacement);
        _code.Add((byte)value);
    }

    /// <summary>add to, value</summary>
    public void Add(GuestRegister to, sbyte value)
    {
        Register(0x83, 0, to);
        _code.Add((byte)value);
    }

    /// <summary>dec register</summary>
    public void Decrement(GuestRegister register) => Register(0xff, 1, register);

    /// <summary>jmp label</summary>
    public void Jump(int label) => Jump(0xeb, label);

    /// <summary>jnz label (jne)</summary>
    public void JumpIfNotZero(int label) => Jump(0x75, label);

    /// <summary>out port, al</summary>
    public void Out(byte port) => _code.AddRange([0xe6, port]);

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

    // REX: 0100 W R X B | opcode | ModRM: [7:6] mod, [5:3] reg, [2:0] rm
    private void Memory(byte opcode, GuestRegister register, GuestRegister at, sbyte displacement)
    {
        Prefix(opcode, register, at);
        var rm = (int)at & 7;
        // rbp and r13 without a displacement have another meaning.
        var hasDisplacement = displacement != 0 || rm == 5;
        _code.Add((byte)((hasDisplacement ? 0x40 : 0) | (((int)register & 7) << 3) | rm));
        // rsp and r12 as a base need a SIB byte.
        if (rm == 4)
            _code.Add(0x24);
        if (hasDisplacement)
            _code.Add((byte)displacement);
    }

    private void Register(byte opcode, int extension, GuestRegister register)
    {
        Prefix(opcode, GuestRegister.Rax, register);
        _code.Add((byte)(0xc0 | (extension << 3) | ((int)register & 7)));
    }

    private void Prefix(byte opcode, GuestRegister register, GuestRegister at)
    {
        _code.Add((byte)(0x48 | ((int)register >> 3 << 2) | ((int)at >> 3)));
        _code.Add(opcode);
    }
}
