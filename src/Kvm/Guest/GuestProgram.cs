namespace Userfault.Kvm;

/// <summary>
/// The program of a real vCPU: it processes the batch of accesses that its thread has prepared
/// (<see cref="GuestBatch"/>), stores the value found beside each, and reports by port I/O. Between two reports it
/// accesses guest memory without involving the host, except through the faults that the accesses cause.
/// </summary>
internal static class GuestProgram
{
    /// <summary>The port on which a completed batch is reported.</summary>
    public const byte ReportPort = 0x10;

    /// <summary>The register that permanently holds the batch's address.</summary>
    public const GuestRegister BatchRegister = GuestRegister.R8;

    /// <summary>The machine code, position independent.</summary>
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
