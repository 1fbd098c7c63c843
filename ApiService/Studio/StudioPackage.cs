using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Studio;

/// <summary>
/// The unpacked npm package: a fixed set of files, listed once, so that an address can name nothing else. Where it is missing, it is
/// looked for again with each request: on a development machine it may be on its way.
/// </summary>
internal sealed partial class StudioPackage
{
    private static readonly (string Coding, string Extension)[] Codings = [("br", ".br"), ("gzip", ".gz")];
    private static readonly FileExtensionContentTypeProvider ContentTypes = new() { Mappings = { [".dat"] = "application/octet-stream" } };

    private readonly Lock _gate = new();
    private readonly StudioOptions _options;
    private readonly ILogger<StudioPackage> _logger;
    private Contents? _contents;
    private bool _missingIsLogged;

    public StudioPackage(IOptions<StudioOptions> options, ILogger<StudioPackage> logger) => (_options, _logger) = (options.Value, logger);

    /// <summary>False where npm did not install it, or has not yet.</summary>
    public bool IsInstalled => Current.Files.Count > 0;

    public string Version => Current.Version;

    /// <param name="path">Below <c>/studio/</c>, as in the address.</param>
    public StudioFile? Find(string path) => Current.Files.GetValueOrDefault(path);

    private static string Beside => Path.Combine(AppContext.BaseDirectory, "studio");

    private Contents Current
    {
        get
        {
            if (Volatile.Read(ref _contents) is { } known) return known;
            lock (_gate)
            {
                if (_contents is not null) return _contents;
                var found = Read(_options.PackageFolder is { Length: > 0 } given ? [given] : [Beside, .. WhereNpmPutsIt()]);
                if (found.Files.Count > 0) Volatile.Write(ref _contents, found);
                else if (!_missingIsLogged) LogMissing(_logger);
                _missingIsLogged = found.Files.Count == 0;
                return found;
            }
        }
    }

    /// <summary>Not while npm is still unpacking: it writes its own record of the folder last.</summary>
    private static IEnumerable<string> WhereNpmPutsIt() =>
        typeof(StudioPackage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Where(metadata => metadata.Key == "StudioPackage" && metadata.Value is not null)
            .Select(metadata => metadata.Value!)
            .Where(folder => File.Exists(Path.Combine(folder, "..", "..", ".package-lock.json")));

    private static Contents Read(IEnumerable<string> folders)
    {
        if (folders.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "package.json"))) is not { } folder) return new("", new());
        using var description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "package.json")));
        var all = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))
            .ToHashSet(StringComparer.Ordinal);
        var files = all
            // Its own page loads fonts from elsewhere and names elements that it does not have; ours takes its place.
            .Where(name => name is not ("index.html" or "package.json") && !Codings.Any(coding => name.EndsWith(coding.Extension, StringComparison.Ordinal)))
            .ToDictionary(name => name, name => Describe(folder, name, all), StringComparer.Ordinal);
        return new(description.RootElement.GetProperty("version").GetString()!, files);
    }

    private static StudioFile Describe(string folder, string name, HashSet<string> all) => new(
        Path.Combine(folder, name),
        ContentTypeOf(name),
        Fingerprinted().IsMatch(name),
        [.. Codings.Where(coding => all.Contains(name + coding.Extension)).Select(coding => (coding.Coding, Path.Combine(folder, name + coding.Extension)))]);

    private static string ContentTypeOf(string name) =>
        !ContentTypes.TryGetContentType(name, out var type) ? "application/octet-stream"
        : type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8"
        : type;

    [GeneratedRegex(@"\A_framework/.+\.[a-z0-9]{10}\.(wasm|js|dat)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Fingerprinted();

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Elsa Studio is not installed (yet). /studio says what to do; everything else works")]
    private static partial void LogMissing(ILogger logger);

    private sealed record Contents(string Version, Dictionary<string, StudioFile> Files);
}
