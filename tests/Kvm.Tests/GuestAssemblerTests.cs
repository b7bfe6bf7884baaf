using System.Diagnostics;
using Userfault.Tests;

namespace Userfault.Kvm.Tests;

/// <summary>
/// The guest's machine code: by hand from the architecture's manual, and against the system's own assembler.
/// </summary>
public class GuestAssemblerTests
{
    private static readonly byte[] Golden =
    [
        0x49,
        0x8d,
        0x70,
        0x20, // begin: lea rsi, [r8+32]
        0x49,
        0x8b,
        0x08, // mov rcx, [r8]
        0x48,
        0x8b,
        0x3e, // next: mov rdi, [rsi]
        0x48,
        0x8b,
        0x46,
        0x08, // mov rax, [rsi+8]
        0x48,
        0x83,
        0x7e,
        0x10,
        0x00, // cmp qword [rsi+16], 0
        0x75,
        0x05, // jne write
        0x48,
        0x8b,
        0x07, // mov rax, [rdi]
        0xeb,
        0x03, // jmp done
        0x48,
        0x87,
        0x07, // write: xchg [rdi], rax
        0x48,
        0x89,
        0x46,
        0x08, // done: mov [rsi+8], rax
        0x48,
        0x83,
        0xc6,
        0x20, // add rsi, 32
        0x48,
        0xff,
        0xc9, // dec rcx
        0x75,
        0xdd, // jnz next
        0xe6,
        0x10, // out 0x10, al
        0xeb,
        0xd2, // jmp begin
    ];

    private const string Text = """
        .intel_syntax noprefix
        begin: lea rsi, [r8+32]
        mov rcx, [r8]
        next: mov rdi, [rsi]
        mov rax, [rsi+8]
        cmp qword ptr [rsi+16], 0
        jne write
        mov rax, [rdi]
        jmp done
        write: xchg [rdi], rax
        done: mov [rsi+8], rax
        add rsi, 32
        dec rcx
        jnz next
        out 0x10, al
        jmp begin
        mov rax, [rsp]
        mov r15, [rbp]
        mov rbx, [r13]
        mov [r12-8], r9
        lea r10, [r12]
        cmp qword ptr [r13+1], -1
        add r11, -128
        dec r15

        """;

    [Fact]
    public void The_program_is_the_bytes_written_by_hand() =>
        Assert.Equal(Convert.ToHexString(Golden), Convert.ToHexString(GuestProgram.Assemble()));

    [SkippableFact]
    public void Every_form_is_what_the_systems_assembler_makes()
    {
        Skip.IfNot(
            File.Exists("/usr/bin/as") && File.Exists("/usr/bin/objcopy"),
            "no assembler (as, objcopy) on this machine"
        );
        var code = new GuestAssembler();
        code.Load(GuestRegister.Rax, GuestRegister.Rsp);
        code.Load(GuestRegister.R15, GuestRegister.Rbp);
        code.Load(GuestRegister.Rbx, GuestRegister.R13);
        code.Store(GuestRegister.R12, -8, GuestRegister.R9);
        code.Address(GuestRegister.R10, GuestRegister.R12, 0);
        code.CompareMemory(GuestRegister.R13, 1, -1);
        code.Add(GuestRegister.R11, -128);
        code.Decrement(GuestRegister.R15);
        byte[] ours = [.. GuestProgram.Assemble(), .. code.ToArray()];
        Assert.Equal(Convert.ToHexString(Assemble()), Convert.ToHexString(ours));
    }

    [Fact]
    public void A_label_that_is_nowhere_or_too_far_is_refused()
    {
        var code = new GuestAssembler();
        code.Jump(code.NewLabel());
        Assert.Throws<InvalidOperationException>(code.ToArray);

        code = new GuestAssembler();
        var far = code.NewLabel();
        code.Mark(far);
        for (var i = 0; i < 43; i++)
            code.Decrement(GuestRegister.Rax);
        code.JumpIfNotZero(far);
        Assert.Throws<InvalidOperationException>(code.ToArray);
    }

    private static byte[] Assemble()
    {
        using var folder = new TemporaryFolder();
        var (source, made, raw) = (folder.At("a.s"), folder.At("a.o"), folder.At("a.bin"));
        File.WriteAllText(source, Text);
        Run("/usr/bin/as", "--64", "-o", made, source);
        Run("/usr/bin/objcopy", "-O", "binary", "-j", ".text", made, raw);
        return File.ReadAllBytes(raw);
    }

    private static void Run(string file, params string[] arguments)
    {
        using var process = Process.Start(file, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
