using System.CommandLine;
using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault bench handler</c>.</summary>
internal sealed class HandlerBenchOptions
{
    private const int MaxTouchers = 512;
    private const int MaxLoad = 1024;
    private const int MaxPages = 1 << 26;
    private const ulong DefaultPages = 32768;
    private const ulong DefaultHugePages = 64;
    private readonly Command _command;
    private readonly Option<string> _touchers;
    private readonly Option<string> _load;
    private readonly Option<string> _pages;
    private readonly Option<string> _pattern;
    private readonly Option<string> _think;
    private readonly Option<string> _rounds;
    private readonly Option<string> _seconds;
    private readonly Option<string> _patience;
    private readonly Option<string[]> _memory = new("--memory")
    {
        Description = $"what a VM's memory is: {Forms} (default anonymous); NAME=KIND for one of the handlers",
    };
    private readonly ImageOptions _image = new();
    private readonly Option<string[]> _sockets = new("--socket")
    {
        Description = "a handler's UNIX socket, or NAME=SOCKET; several are measured side by side, turn by turn",
    };

    public HandlerBenchOptions(Command command)
    {
        _command = command;
        command.Options.Add(_sockets);
        _touchers = Add("--touchers", "counts of threads that touch pages, 1 to 512 (default 1,8,64,512)");
        _load = Add("--load", "busy loops beside them; everything is then measured without and with (default 0)");
        _pages = Add("--pages", "pages of a VM (default: those of the image, or 32768, or 64 huge pages)");
        command.Options.Add(_memory);
        _pattern = Add("--pattern", "order of pages: random (default) or sequential, each thread in its share");
        _think = Add("--think", "what a toucher computes between two touches, such as 20us (default 0)");
        _rounds = Add("--rounds", "turns of each handler, count and load (default 5)");
        _seconds = Add("--seconds", "longest time of a turn, after which it ends with fewer pages (default 30)");
        _patience = Add("--patience", "give a handler up when no touch ends for so long (default 10s)");
        Csv = Add("--csv", "write the figures as CSV to this file");
        Json = Add("--json", "write the report as JSON to this file; - is standard output");
        Html = Add("--html", "write one page with charts and figures, which needs no network");
        _image.AddTo(command);
    }

    public Option<string> Csv { get; }

    public Option<string> Json { get; }

    public Option<string> Html { get; }

    /// <summary>The image that content is compared with; null for none.</summary>
    public IMemoryImage? TryOpenImage(ParseResult result) => _image.TryOpen(result);

    /// <summary>The image's file; null for none.</summary>
    public string? ImageFile(ParseResult result) => result.GetValue(_image.Image);

    /// <summary>The options that name the image, for the process of a turn.</summary>
    public IReadOnlyList<string> ImageArguments(ParseResult result) =>
        [
            .. new[] { _image.Image, _image.Synthetic, _image.ZeroShare, _image.Seed }
                .Where(o => result.GetValue(o) is not null)
                .SelectMany(o => new[] { o.Name, result.GetValue(o)! }),
        ];

    /// <summary>What is to be measured.</summary>
    /// <exception cref="CliException">An option cannot be used.</exception>
    public HandlerBenchPlan Read(ParseResult result, IMemoryImage? image)
    {
        string Text(Option<string> option, string otherwise) => result.GetValue(option) ?? otherwise;
        var touchers = Text(_touchers, "1,8,64,512")
            .Split(',', StringSplitOptions.TrimEntries)
            .Select(t => Units.Count(_touchers.Name, t, 1, MaxTouchers))
            .Distinct()
            .ToArray();
        var load = Units.Count(_load.Name, Text(_load, "0"), 0, MaxLoad);
        var forms = FormsOf(result.GetValue(_memory) ?? []);
        var isHuge = forms.ContainsValue(GuestMemoryForm.HugePages);
        var pages = PagesOf(result.GetValue(_pages), isHuge, image);
        if (pages <= (ulong)touchers.Max())
        {
            throw new CliException(
                $"{_touchers.Name}: {touchers.Max()} cannot share {pages} pages, the first of which is touched before; "
                    + $"use fewer, or more {_pages.Name}"
            );
        }

        var patience = TimeSpan.FromTicks(Units.DurationNs(_patience.Name, Text(_patience, "10s")) / 100);
        var rounds = Units.Count(_rounds.Name, Text(_rounds, "5"), 1, 1000);
        var turn = new TurnSettings
        {
            Socket = "",
            Pages = pages,
            Form = GuestMemoryForm.Private,
            Touchers = 0,
            Load = 0,
            IsRandom = Text(_pattern, "random") switch
            {
                "random" => true,
                "sequential" => false,
                var text => throw Units.Bad(_pattern.Name, text, "random or sequential"),
            },
            Think = TimeSpan.FromTicks(Units.DurationNs(_think.Name, Text(_think, "0")) / 100),
            Seed = _image.SeedOf(result) << 16,
            Limit = TimeSpan.FromSeconds(Units.Count(_seconds.Name, Text(_seconds, "30"), 1, 3600)),
            Patience = patience,
            ConnectPatience = patience,
        };
        // Last: whoever corrects an option need not have started the handlers.
        var handlers = HandlersOf(result.GetValue(_sockets) ?? [], forms);
        if (isHuge && handlers.Any(static h => h.Form != GuestMemoryForm.HugePages))
        {
            throw new CliException(
                $"{_memory.Name}: pages of 2 MiB and of 4 KiB in one run; give all handlers the same"
            );
        }

        return new HandlerBenchPlan(handlers, touchers, load == 0 ? [0] : [0, load], rounds, turn);
    }

    private static string Forms => string.Join(", ", Enum.GetValues<GuestMemoryForm>().Select(HandlerName.NameOf));

    // By handlers' names; the empty one is that of all others.
    private Dictionary<string, GuestMemoryForm> FormsOf(string[] texts)
    {
        var forms = new Dictionary<string, GuestMemoryForm>();
        foreach (var text in texts)
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            var name = at < 0 ? "" : text[..at];
            if (!forms.TryAdd(name, FormOf(text[(at + 1)..])))
                throw new CliException($"{_memory.Name}: two kinds{(at < 0 ? "" : $" for {name}")}; give one");
        }
        return forms;
    }

    private GuestMemoryForm FormOf(string text)
    {
        foreach (var form in Enum.GetValues<GuestMemoryForm>())
        {
            if (HandlerName.NameOf(form) == text)
                return form;
        }
        throw Units.Bad(_memory.Name, text, $"one of {Forms}");
    }

    private ulong PagesOf(string? text, bool isHuge, IMemoryImage? image)
    {
        var perPage = isHuge ? RegionList.HugePageBytes >> Page.Shift : 1;
        var available = image?.Pages / perPage;
        var pages = text is null
            ? available ?? (isHuge ? DefaultHugePages : DefaultPages)
            : (ulong)Units.Count(_pages.Name, text, 2, MaxPages);
        return available is { } limit && pages > limit
                ? throw new CliException($"{_pages.Name}: the image has {limit} pages, not {pages}")
            : pages > MaxPages ? throw new CliException($"{_pages.Name}: the image has {pages} pages; touch fewer")
            : pages;
    }

    private HandlerName[] HandlersOf(string[] sockets, Dictionary<string, GuestMemoryForm> forms)
    {
        if (sockets.Length == 0)
            throw new CliException($"bench handler: name where a handler listens: {_sockets.Name} S");
        var handlers = sockets.Select(HandlerName.Parse).ToArray();
        foreach (var handler in handlers)
        {
            if (handler.Socket.Length == 0 || handler.Name.Length == 0)
                throw new CliException($"{_sockets.Name}: name a socket, as PATH or NAME=PATH");
            if (handlers.Count(h => h.Name == handler.Name) > 1)
            {
                throw new CliException(
                    $"{_sockets.Name}: two handlers are named {handler.Name}; write {_sockets.Name} "
                        + $"NAME={handler.Socket}"
                );
            }
            if (!File.Exists(handler.Socket))
            {
                throw new CliException(
                    $"{_sockets.Name}: handler {handler.Name} is not there: there is no {handler.Socket}; "
                        + "start it first"
                );
            }
            if (SocketFile.At(File.ResolveLinkTarget(handler.Socket, true)?.FullName ?? handler.Socket) is null)
                throw new CliException($"{_sockets.Name}: {handler.Socket} is no socket");
        }
        if (forms.Keys.FirstOrDefault(n => n.Length > 0 && handlers.All(h => h.Name != n)) is { } unknown)
            throw new CliException($"{_memory.Name}: no handler is named {unknown}");
        var others = forms.GetValueOrDefault("", GuestMemoryForm.Private);
        return [.. handlers.Select(h => h with { Form = forms.GetValueOrDefault(h.Name, others) })];
    }

    private Option<string> Add(string name, string description)
    {
        var option = new Option<string>(name) { Description = description };
        _command.Options.Add(option);
        return option;
    }
}
