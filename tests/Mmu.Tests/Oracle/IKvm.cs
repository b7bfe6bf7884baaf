namespace Userfault.Mmu.Tests.Oracle;

/// <summary>A VM that answers KVM's calls: the kernel's, or the model's.</summary>
public interface IKvm : IDisposable
{
    /// <summary>Makes one call and tells what came of it; an errno is an answer, not an exception.</summary>
    KvmAnswer Do(KvmCall call);
}
