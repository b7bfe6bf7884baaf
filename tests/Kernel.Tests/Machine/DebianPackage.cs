using System.Formats.Tar;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>A package file: a .deb.</summary>
internal sealed class DebianPackage(string path)
{
    public override string ToString() => Path.GetFileName(path);

    /// <summary>The contents of the wanted files, by their paths in the package, without a leading slash.</summary>
    public async Task<IReadOnlyDictionary<string, byte[]>> ReadAsync(Func<string, bool> isWanted)
    {
        Dictionary<string, byte[]> found = [];
        await Tool.RunAsync(
            "dpkg-deb",
            ["--fsys-tarfile", path],
            async output =>
            {
                using var tar = new TarReader(output);
                while (await tar.GetNextEntryAsync() is { } entry)
                {
                    var name = entry.Name.TrimStart('.').TrimStart('/');
                    if (entry.DataStream is null || !isWanted(name))
                        continue;
                    using var content = new MemoryStream();
                    await entry.DataStream.CopyToAsync(content);
                    found[name] = content.ToArray();
                }

                // The tool must be able to write its padding to the end.
                await output.CopyToAsync(Stream.Null);
            }
        );
        return found;
    }
}
