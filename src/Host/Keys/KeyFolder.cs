using System.Globalization;
using System.Security.Cryptography;

namespace Userfault.Cli;

/// <summary>
/// The folder of <c>userfault cluster keys</c>: an authority, and for each node a certificate, a key and a settings
/// file. What is there stays as it is; more nodes come from the authority that is there.
/// </summary>
internal sealed class KeyFolder
{
    private const string AuthorityName = "authority";
    private const string NodePrefix = "node-";
    private static readonly string[] NodeFiles = [".pem", ".key", ".hocon"];

    private readonly string _path;

    /// <summary>A folder, which need not be there.</summary>
    /// <param name="path">Where.</param>
    public KeyFolder(string path) => _path = path;

    /// <summary>How long a new authority is valid, if its nodes' certificates are not valid longer.</summary>
    public static int AuthorityDays => 3650;

    /// <summary>The authority's certificate, for people.</summary>
    public string AuthorityFile => At(AuthorityName + ".pem");

    /// <summary>The authority's key, for people.</summary>
    public string AuthorityKeyFile => At(AuthorityName + ".key");

    /// <summary>A node's settings file, for people.</summary>
    /// <param name="number">The node.</param>
    public string NodeFile(int number) => At(NameOf(number) + ".hocon");

    /// <summary>Makes the authority where there is none, and certificates of nodes.</summary>
    /// <param name="count">How many nodes.</param>
    /// <param name="days">How long their certificates are valid.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="CliException">Files that are in the way or cannot be used; the authority ends before
    /// that.</exception>
    public KeysMade Make(int count, int days, DateTimeOffset now)
    {
        // Certificates know whole seconds.
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        try
        {
            CreateFolder();
            var numbers = NodeNumbers();
            using var authority = Open(numbers.Count > 0, days, now, out var isNew);
            if (now.AddDays(days) > authority.Ends)
            {
                throw new CliException(
                    $"--days {days}: {AuthorityFile} ends on {authority.Ends:yyyy-MM-dd}, in "
                        + $"{(int)(authority.Ends - now).TotalDays} days; "
                        + "begin a new authority in another folder"
                );
            }

            var first = numbers.Count == 0 ? 1 : numbers.Max() + 1;
            for (var number = first; number < first + count; number++)
                WriteNode(authority, number, days, now);
            return new KeysMade(first, first + count - 1, isNew, authority.Ends, now.AddDays(days));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"cluster keys: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{NodePrefix}{number}");

    private string At(string name) => Path.Combine(_path, name);

    private Authority Open(bool hasNodes, int days, DateTimeOffset now, out bool isNew)
    {
        var (hasCertificate, hasKey) = (File.Exists(AuthorityFile), File.Exists(AuthorityKeyFile));
        isNew = !hasCertificate && !hasKey;
        if (isNew && hasNodes)
        {
            throw new CliException(
                $"{_path}: has certificates of nodes and not the authority that signed them; name another folder"
            );
        }

        if (isNew)
        {
            var (authority, certificate, key) = Authority.Make(now, Math.Max(days, AuthorityDays));
            Write(AuthorityKeyFile, key, isSecret: true);
            Write(AuthorityFile, certificate, isSecret: false);
            return authority;
        }

        if (!hasCertificate || !hasKey)
        {
            throw new CliException(
                $"{(hasKey ? AuthorityFile : AuthorityKeyFile)}: is not there; more nodes need the whole authority"
            );
        }

        try
        {
            return Authority.Load(AuthorityFile, AuthorityKeyFile);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CliException($"{AuthorityFile}: cannot sign more nodes: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private void WriteNode(Authority authority, int number, int days, DateTimeOffset now)
    {
        var name = NameOf(number);
        var (certificate, key) = authority.Issue(name, now, days);
        Write(At(name + ".key"), key, isSecret: true);
        Write(At(name + ".pem"), certificate, isSecret: false);
        Write(NodeFile(number), SettingsOf(name), isSecret: false);
    }

    private static string SettingsOf(string name) =>
        $$"""
            # Settings of one node, made by `userfault cluster keys`. On the node's machine this file lies beside
            # {{name}}.pem, {{name}}.key and authority.pem; authority.key stays away from nodes.
            userfault.cluster {
              # The node's own address. Loopback without it.
              # host = "192.0.2.1"
              tls {
                certificate = "{{name}}.pem"
                key = "{{name}}.key"
                authority = "authority.pem"
              }
            }

            """;

    // Of all files of nodes, whole or not: none is written over.
    private List<int> NodeNumbers() =>
        [
            .. from file in Directory.EnumerateFiles(_path, NodePrefix + "*")
            where NodeFiles.Contains(Path.GetExtension(file))
            let number = Path.GetFileNameWithoutExtension(file)[NodePrefix.Length..]
            where int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            select int.Parse(number, CultureInfo.InvariantCulture),
        ];

    private void CreateFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_path);
            return;
        }

        Directory.CreateDirectory(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // Another user could put an authority there whose key is known to that user.
        if (File.GetUnixFileMode(_path).HasFlag(UnixFileMode.OtherWrite))
            throw new CliException($"{_path}: any user can write to it; name another folder");
    }

    // Never over a file that is there; a key is nobody else's from its first byte on.
    private static void Write(string path, string text, bool isSecret)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(text.EndsWith('\n') ? text : text + "\n");
    }
}
