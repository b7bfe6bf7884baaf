using System.Runtime.Serialization;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// The encoding of the messages between a bitmap and its replicas. Each starts with VM | slot u32; then
/// cleared: first page u64 | pages u64 | sequence u64 | batches u32 | words u32, each: index u64 | mask u64;
/// get range: first word u64 | words u32; range: sequence u64 | first word u64 | words u32, each u64.
/// </summary>
internal static class BitmapForms
{
    public static void Write(BinaryWriter writer, BitsCleared cleared)
    {
        writer.Write(cleared.Vm);
        writer.Write(cleared.Slot.Raw);
        Write(writer, cleared.Pages);
        writer.Write(cleared.Sequence);
        writer.Write(cleared.Batches);
        writer.Write((uint)cleared.Words.Count);
        foreach (var word in cleared.Words)
        {
            writer.Write(word.Index);
            writer.Write(word.Mask);
        }
    }

    public static BitsCleared ReadCleared(BinaryReader reader)
    {
        var vm = reader.ReadString();
        var slot = new SlotId(reader.ReadUInt32());
        var pages = ReadPages(reader);
        var sequence = reader.ReadUInt64();
        var batches = reader.ReadUInt32();
        var words = new ClearedWord[Count(reader, BitsCleared.MostWords)];
        for (var i = 0; i < words.Length; i++)
            words[i] = new ClearedWord(reader.ReadUInt64(), reader.ReadUInt64());
        return new BitsCleared(vm, slot, pages, sequence, words, batches);
    }

    public static void Write(BinaryWriter writer, GetBitmapRange get)
    {
        writer.Write(get.Vm);
        writer.Write(get.Slot.Raw);
        writer.Write(get.FirstWord);
        writer.Write(get.Words);
    }

    public static GetBitmapRange ReadGetRange(BinaryReader reader) =>
        new(reader.ReadString(), new SlotId(reader.ReadUInt32()), reader.ReadUInt64(), reader.ReadUInt32());

    public static void Write(BinaryWriter writer, BitmapRange range)
    {
        writer.Write(range.Vm);
        writer.Write(range.Slot.Raw);
        writer.Write(range.Sequence);
        writer.Write(range.FirstWord);
        writer.Write((uint)range.Words.Count);
        foreach (var word in range.Words)
            writer.Write(word);
    }

    public static BitmapRange ReadRange(BinaryReader reader)
    {
        var vm = reader.ReadString();
        var slot = new SlotId(reader.ReadUInt32());
        var sequence = reader.ReadUInt64();
        var first = reader.ReadUInt64();
        var words = new ulong[Count(reader, BitmapRange.MostWords)];
        for (var i = 0; i < words.Length; i++)
            words[i] = reader.ReadUInt64();
        return new BitmapRange(vm, slot, sequence, first, words);
    }

    public static void Write(BinaryWriter writer, MemoryPageRange pages)
    {
        writer.Write(pages.Start.Value);
        writer.Write(pages.Count);
    }

    public static MemoryPageRange ReadPages(BinaryReader reader)
    {
        var (start, count) = (reader.ReadUInt64(), reader.ReadUInt64());
        return count <= ulong.MaxValue - start
            ? new MemoryPageRange(new MemoryPage(start), count)
            : throw new SerializationException($"{count} pages from {start} on");
    }

    private static uint Count(BinaryReader reader, int most)
    {
        var count = reader.ReadUInt32();
        return count <= most ? count : throw new SerializationException($"a bitmap message with {count} words");
    }
}
