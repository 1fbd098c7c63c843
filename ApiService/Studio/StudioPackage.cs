using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Studio;

/// <summary>
/// The unpacked npm package. Its files are listed once, so no URL can reach any other file. While the package is missing, each request
/// looks again: on a development machine npm may still be installing it.
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

    /// <summary>False if npm has not installed it, or not yet.</summary>
    public bool IsInstalled => Current.Files.Count > 0;

    public string Version => Current.Version;

    /// <param name="path">The URL's path below <c>/studio/</c>.</param>
    public StudioFile? Find(string path) => Current.Files.GetValueOrDefault(path);

    private static string PublishedFolder => Path.Combine(AppContext.BaseDirectory, "studio");

    private Contents Current
    {
        get
        {
            if (Volatile.Read(ref _contents) is { } known)
                return known;
            lock (_gate)
            {
                if (_contents is not null)
                    return _contents;
                var found = Read(_options.PackageFolder is { Length: > 0 } configured ? [configured] : [PublishedFolder, .. NpmFolders()]);
                if (found.Files.Count > 0)
                    Volatile.Write(ref _contents, found);
                else if (!_missingIsLogged)
                    LogMissing(_logger);
                _missingIsLogged = found.Files.Count == 0;
                return found;
            }
        }
    }

    /// <summary>Excludes a folder that npm is still unpacking: it writes <c>.package-lock.json</c> last.</summary>
    private static IEnumerable<string> NpmFolders() =>
        typeof(StudioPackage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Where(metadata => metadata.Key == "StudioPackage" && metadata.Value is not null)
            .Select(metadata => metadata.Value!)
            .Where(folder => File.Exists(Path.Combine(folder, "..", "..", ".package-lock.json")));

    private static Contents Read(IEnumerable<string> folders)
    {
        if (folders.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "package.json"))) is not { } folder)
            return new("", new());
        using var description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "package.json")));
        var all = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))
            .ToHashSet(StringComparer.Ordinal);
        var files = all
            // Its index.html loads fonts from another origin and uses elements that the package lacks; shell.html replaces it.
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
        Message = "Elsa Studio is not installed (yet). /studio explains how to install it; everything else works")]
    private static partial void LogMissing(ILogger logger);

    private sealed record Contents(string Version, Dictionary<string, StudioFile> Files);
}

/// <summary>A file of the package, with its precompressed copies.</summary>
/// <param name="Path">Path of the uncompressed file.</param>
/// <param name="ContentType">Content type of the uncompressed file.</param>
/// <param name="IsFingerprinted">Whether its name changes with its content.</param>
/// <param name="Compressed">Paths of the compressed copies by content coding, best compression first.</param>
internal sealed record StudioFile(string Path, string ContentType, bool IsFingerprinted, IReadOnlyList<(string Coding, string Path)> Compressed);
