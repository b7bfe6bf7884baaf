namespace Userfault.Tests;

/// <summary>The general registers of 32-bit x86, with their numbers in instruction encodings.</summary>
internal enum RomRegister
{
    Eax = 0,
    Ecx = 1,
    Edx = 2,
    Ebx = 3,
    Ebp = 5,
    Esi = 6,
    Edi = 7,
}
