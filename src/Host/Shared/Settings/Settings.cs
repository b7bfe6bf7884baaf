using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace Userfault.Cli;

/// <summary>
/// The settings of a run: akka.hocon, what <c>--config</c> lays over it, and options over both. A key under
/// <c>userfault</c> that akka.hocon does not list is refused by name.
/// </summary>
internal sealed class Settings
{
    private const string Root = "userfault";
    private readonly Dictionary<string, (string Option, string Value)> _options = [];

    private readonly string _folder;

    private Settings(Config config, string folder) => (Config, _folder) = (config, folder);

    /// <summary>Everything, for the actor system.</summary>
    public Config Config { get; }

    /// <summary>The file that documents every key; it lies beside the program.</summary>
    public static string DefaultFile => Path.Combine(AppContext.BaseDirectory, "akka.hocon");

    /// <summary>Loads akka.hocon, and lays a file and single keys over it.</summary>
    /// <param name="overlay">A HOCON file; null for none.</param>
    /// <param name="assignments">Single keys over both, as KEY=VALUE.</param>
    /// <exception cref="CliException">The file is missing or is no HOCON, or a key does not exist.</exception>
    public static Settings Load(string? overlay, params IReadOnlyList<string> assignments)
    {
        var defaults = Parse(DefaultFile);
        var (config, folder) = (defaults, "");
        if (overlay is not null)
        {
            var file = Parse(overlay);
            Check(overlay, file, defaults);
            (config, folder) = (file.WithFallback(defaults), Path.GetDirectoryName(Path.GetFullPath(overlay)) ?? "");
        }

        var own = new Dictionary<string, string>();
        foreach (var assignment in assignments)
        {
            var (key, value) = KeyAssignment.Parse(assignment);
            var single = KeyAssignment.ToConfig(key, value);
            Check(KeyAssignment.Option, single, defaults);
            if (key.StartsWith(Root + '.', StringComparison.Ordinal))
                own[key[(Root.Length + 1)..]] = value;
            else
                config = single.WithFallback(config);
        }

        var settings = new Settings(config, folder);
        foreach (var (key, value) in own)
            settings.Override(key, $"{Root}.{key}", value);
        return settings;
    }

    /// <summary>Lets an option stand over a key; null leaves the key as it is.</summary>
    public void Override(string key, string option, string? value)
    {
        if (value is not null)
            _options[key] = (option, value);
    }

    /// <summary>A key's value, and the name under which the user knows it.</summary>
    public (string Name, string Value) Get(string key)
    {
        if (_options.TryGetValue(key, out var option))
            return (option.Option, option.Value);
        var name = $"{Root}.{key}";
        return (
            name,
            Config.GetString(name) ?? throw new CliException($"{name}: has no value; give it one, or leave the key out")
        );
    }

    /// <summary>
    /// A file; a relative path begins at the settings file that names it, or at the working directory where an option
    /// does. Empty where none is named.
    /// </summary>
    public (string Name, string Path) FileAt(string key)
    {
        var (name, value) = Get(key);
        var folder = _options.ContainsKey(key) ? "" : _folder;
        return (name, value.Length == 0 ? "" : Path.Combine(folder, value));
    }

    /// <summary>A size in pages; 0 for "off".</summary>
    public ulong Pages(string key) => Get(key) is var (name, value) && value == "off" ? 0 : Units.Pages(name, value);

    /// <summary>A duration in ns.</summary>
    public long DurationNs(string key, long? off = null) =>
        Get(key) is var (name, value) ? Units.DurationNs(name, value, off) : 0;

    /// <summary>A count within bounds.</summary>
    public int Count(string key, int least, int most) =>
        Get(key) is var (name, value) ? Units.Count(name, value, least, most) : 0;

    /// <summary>One of an enumeration's values.</summary>
    public T OneOf<T>(string key)
        where T : struct, Enum => Get(key) is var (name, value) ? Units.OneOf<T>(name, value) : default;

    /// <summary>on or off.</summary>
    public bool Switch(string key)
    {
        var (name, value) = Get(key);
        return value switch
        {
            "on" or "true" or "yes" => true,
            "off" or "false" or "no" => false,
            _ => throw Units.Bad(name, value, "on or off"),
        };
    }

    private static Config Parse(string path)
    {
        if (!File.Exists(path))
            throw new CliException($"{path}: no such settings file; check --config");
        try
        {
            var text = File.ReadAllText(path);
            if (HoconBraces.Unclosed(text) is { } line)
                throw new CliException($"{path}: is not HOCON: the brace in line {line} is never closed");
            return ConfigurationFactory.ParseString(text);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or CliException))
        {
            throw new CliException($"{path}: is not HOCON: {OneLine(e.Message)}");
        }
    }

    private static void Check(string path, Config config, Config defaults)
    {
        if (config.IsEmpty || config.Root.IsEmpty)
            return;
        if (!config.Root.IsObject())
            throw new CliException($"{path}: is not HOCON: no keys in it");
        foreach (var (key, value) in config.Root.GetObject().Items)
        {
            if (key == "akka")
                continue;
            if (!defaults.HasPath(key))
            {
                throw new CliException(
                    $"{path}: unknown key '{key}'; the keys are userfault, userfault-vcpus, userfault-memslots, "
                        + $"userfault-shared and akka"
                );
            }

            if (value.IsObject())
                CheckObject(path, key, value.GetObject(), defaults);
            else
                throw new CliException($"{path}: '{key}' must be a section in braces");
        }
    }

    private static void CheckObject(string path, string prefix, HoconObject section, Config defaults)
    {
        foreach (var (key, value) in section.Items)
        {
            var name = $"{prefix}.{key}";
            if (!defaults.HasPath(name))
            {
                var known = defaults.GetValue(prefix).GetObject().Items.Keys.Order(StringComparer.Ordinal);
                throw new CliException($"{path}: unknown key '{name}'; {prefix} has {string.Join(", ", known)}");
            }

            var isSection = defaults.GetValue(name).IsObject();
            if (isSection != value.IsObject())
                throw new CliException($"{path}: '{name}' must be {(isSection ? "a section in braces" : "a value")}");
            if (isSection)
                CheckObject(path, name, value.GetObject(), defaults);
        }
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}
