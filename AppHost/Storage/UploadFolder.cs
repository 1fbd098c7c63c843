using System.Globalization;
using System.Text.Json;

namespace Darkroom.AppHost.Storage;

/// <summary>A multipart upload on disk: <c>upload.json</c> and one object file per part.</summary>
internal sealed class UploadFolder
{
    private const string DescriptionFile = "upload.json";
    private readonly string _path;

    private UploadFolder(string id, string path, PendingUpload upload)
    {
        Id = id;
        _path = path;
        Upload = upload;
    }

    public string Id { get; }
    public PendingUpload Upload { get; }

    public static UploadFolder Create(string uploads, PendingUpload upload)
    {
        var id = Guid.NewGuid().ToString("N");
        var path = Path.Join(uploads, id);
        Directory.CreateDirectory(path);
        File.WriteAllBytes(Path.Join(path, DescriptionFile), JsonSerializer.SerializeToUtf8Bytes(upload, StorageJson.Default.PendingUpload));
        return new UploadFolder(id, path, upload);
    }

    public static UploadFolder? TryOpen(string uploads, string id)
    {
        // The id comes from the client and becomes part of a path.
        if (!Guid.TryParseExact(id, "N", out _))
            return null;
        try
        {
            var path = Path.Join(uploads, id);
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Join(path, DescriptionFile)), StorageJson.Default.PendingUpload) is { } upload
                ? new UploadFolder(id, path, upload)
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            // Never created, already completed or aborted, or interrupted while being created.
            return null;
        }
    }

    /// <summary>All uploads of a bucket, in listing order.</summary>
    public static IEnumerable<UploadFolder> All(string uploads) =>
        Directory.EnumerateDirectories(uploads)
            .Select(path => TryOpen(uploads, Path.GetFileName(path)))
            .OfType<UploadFolder>()
            .OrderBy(folder => folder.Upload.Key, StringComparer.Ordinal)
            .ThenBy(folder => folder.Id, StringComparer.Ordinal);

    public string PartPath(int number) => Path.Join(_path, number.ToString("D5", CultureInfo.InvariantCulture));

    public IEnumerable<int> PartNumbers() =>
        Directory.EnumerateFiles(_path)
            .Select(Path.GetFileName)
            .Where(name => name != DescriptionFile)
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Order();

    public void Delete()
    {
        try
        {
            // The description goes first: without it the upload no longer exists, however long the rest takes.
            File.Delete(Path.Join(_path, DescriptionFile));
            Directory.Delete(_path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Already deleted by a concurrent request.
        }
    }
}

/// <summary>The parameters of a multipart upload.</summary>
/// <param name="Algorithm">Checksum algorithm for the parts; null if the client requested none.</param>
internal sealed record PendingUpload(
    string Key, Dictionary<string, string> Headers, string? Algorithm, bool Composite, DateTimeOffset Initiated);
