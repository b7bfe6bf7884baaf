namespace Userfault.Mmu;

// Prints a table in the format of the kernel's ptdump: entries are noted in order, runs of the same level and
// attributes become one line, holes become a line without attributes. One addition is the host address at which the run
// starts; therefore runs also end where the frames stop being contiguous.
//
// Its only state is the current run.
internal sealed class TableDump<TFormat>(TextWriter writer, TableGeometry geometry)
    where TFormat : struct, IPteFormat
{
    private const string Units = "KMGTPE";

    private ulong _start;
    private PageLevel _level;
    private ulong _attributes;
    private Pfn _pfn;
    private Pfn _nextPfn;

    public unsafe void Print(ulong* root, TableCounters counters)
    {
        writer.Write($"---[ {TFormat.Name}, {geometry.AddressBits} bits, {geometry.Levels} levels");
        writer.WriteLine(geometry.RootTables > 1 ? $", {geometry.RootTables} root tables ]---" : " ]---");
        NoteTable(root, geometry.RootLevel, geometry.RootEntries, 0);
        End(geometry.LimitPages);
        writer.WriteLine(
            $"---[ leaves 4K {counters.Leaves4K}, 2M {counters.Leaves2M}, 1G {counters.Leaves1G}; "
                + $"tables {counters.TablePages} ]---"
        );
    }

    private unsafe void NoteTable(ulong* table, PageLevel level, int entries, ulong start)
    {
        for (var i = 0; i < entries; i++, start += level.Pages())
        {
            var pte = Volatile.Read(ref table[i]);
            if (TFormat.Classify(pte, level) == PteKind.Table)
            {
                NoteTable((ulong*)TFormat.TableOf(pte), level - 1, PageLevels.EntriesPerTable, start);
            }
            else
            {
                Note(start, level, pte);
            }
        }
    }

    private void Note(ulong start, PageLevel level, ulong pte)
    {
        var pfn = pte == 0 ? default : TFormat.FrameOf(pte);
        var attributes = pte - (pfn.Value << Page.Shift);
        if (level != _level || attributes != _attributes || (pte != 0 && pfn != _nextPfn))
        {
            End(start);
            (_start, _level, _attributes, _pfn) = (start, level, attributes, pfn);
        }
        _nextPfn = pfn.Plus(level.Pages());
    }

    private void End(ulong end)
    {
        if (end == _start)
        {
            return;
        }
        var size = (end - _start) << (Page.Shift - 10);
        var unit = 0;
        for (; size % 1024 == 0 && unit < Units.Length - 1; unit++)
        {
            size /= 1024;
        }
        writer.Write($"0x{_start << Page.Shift:x16}-0x{end << Page.Shift:x16}   ");
        writer.Write($"{size, 9}{Units[unit]} {TFormat.LevelName(_level)}");
        if (_attributes != 0)
        {
            writer.Write($"{TFormat.Describe(_attributes, _level)} -> 0x{_pfn.Value << Page.Shift:x}");
        }
        writer.WriteLine();
    }
}
