// User space's half of post-copy, in one loop: vCPUs run until they miss pages, the faults of a round become one
// request to a page source, and what arrives is put in place before its bit is cleared and the vCPUs run again.
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Samples;

const int Vcpus = 4;
const ulong Pages = 1024;

using var image = new SyntheticImage(new SyntheticSettings(Pages));
using var source = new LocalPageSource(image);
using var memory = new ByteGuestMemory(Pages);
using var missing = UserfaultBitmap.Allocate(Pages);
missing.SetAll();

var host = new ModelHostMemory();
host.Map(memory.Base, Pages << Page.Shift);
using var vm = new Vm(MmuPolicy.X86, host);
vm.SetUserMemoryRegion2(
    new UserspaceMemoryRegion2
    {
        Flags = (uint)MemslotFlags.Userfault,
        MemorySize = Pages << Page.Shift,
        UserspaceAddress = memory.Base.Value,
        UserfaultBitmap = host.AddBitmap(missing).Value,
    }
);

#region loop
var sink = new PlacingSink(memory, missing);
var next = new ulong[Vcpus]; // the page that each vCPU reads next; each reads all of them
var faults = new Queue<Gfn>();
ulong requests = 0;

while (next.Any(page => page < Pages))
{
    // Run every vCPU until it exits on a missing page. Two vCPUs that miss one page need it fetched once.
    for (var vcpu = 0; vcpu < Vcpus; vcpu++)
    {
        while (next[vcpu] < Pages)
        {
            var gfn = new Gfn((next[vcpu] * 33 + (ulong)vcpu * 7) % Pages);
            var run = vm.Access(new VcpuAccess(gfn, Access.Read));
            if (run.IsUserfaultExit)
            {
                if (!faults.Contains(gfn))
                    faults.Enqueue(gfn);
                break;
            }

            next[vcpu]++;
        }
    }

    // Fetch: one request for all faults of this round. The sink puts the pages in place and clears their bits.
    if (faults.Count == 0)
        continue;
    var wanted = faults.Select(gfn => new MemoryPageRange(new MemoryPage(gfn.Value), 1)).ToArray();
    faults.Clear();
    source.Request(new PageRequest(requests++, FetchPriority.Demand, SentNs: 0), wanted, sink);
}
#endregion

using var writes = new StampLedger(Pages);
using var verifier = new GuestVerifier(image, memory, writes);
var result = verifier.Verify(new MemoryPageRange(new MemoryPage(0), Pages), missing);
Console.WriteLine(
    $"{Vcpus} vCPUs read {Pages} pages each: {requests} requests, {sink.Placed} placed, {missing.Count()} missing"
);
Console.WriteLine($"{result.Verified} pages match the image, {result.Wrong} do not");
return result.Wrong == 0 && missing.Count() == 0 ? 0 : 1;
