namespace Userfault.Kvm;

/// <summary>
/// What a real vCPU executes: it works through the batch of accesses that its thread has laid out
/// (<see cref="GuestBatch"/>), leaves what it saw beside each, and reports by port I/O. Between two reports it touches
/// guest memory by itself, with nothing of the host in between but what the accesses cause.
/// </summary>
internal static class GuestProgram
{
    /// <summary>The port on which a batch is reported done.</summary>
    public const byte ReportPort = 0x10;

    /// <summary>The register that holds the batch's address for good.</summary>
    public const GuestRegister BatchRegister = GuestRegister.R8;

    /// <summary>The machine code, to run at any address.</summary>
    public static byte[] Assemble()
    {
        var code = new GuestAssembler();
        var (begin, next, write, done) = (code.NewLabel(), code.NewLabel(), code.NewLabel(), code.NewLabel());
        code.Mark(begin);
        code.Address(GuestRegister.Rsi, BatchRegister, GuestBatch.EntryBytes);
        code.Load(GuestRegister.Rcx, BatchRegister);
        code.Mark(next);
        code.Load(GuestRegister.Rdi, GuestRegister.Rsi, GuestBatch.AddressOffset);
        code.Load(GuestRegister.Rax, GuestRegister.Rsi, GuestBatch.ValueOffset);
        code.CompareMemory(GuestRegister.Rsi, GuestBatch.IsWriteOffset, 0);
        code.JumpIfNotZero(write);
        code.Load(GuestRegister.Rax, GuestRegister.Rdi);
        code.Jump(done);
        code.Mark(write);
        code.Exchange(GuestRegister.Rdi, 0, GuestRegister.Rax);
        code.Mark(done);
        code.Store(GuestRegister.Rsi, GuestBatch.ValueOffset, GuestRegister.Rax);
        code.Add(GuestRegister.Rsi, GuestBatch.EntryBytes);
        code.Decrement(GuestRegister.Rcx);
        code.JumpIfNotZero(next);
        code.Out(ReportPort);
        code.Jump(begin);
        return code.ToArray();
    }
}
