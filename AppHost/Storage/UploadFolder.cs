using System.Globalization;
using System.Text.Json;

namespace Darkroom.AppHost.Storage;

/// <summary>One multipart upload on disk: <c>upload.json</c>, and one object file a part.</summary>
internal sealed class UploadFolder
{
    private const string Description = "upload.json";
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
        File.WriteAllBytes(Path.Join(path, Description), JsonSerializer.SerializeToUtf8Bytes(upload, StorageJson.Default.PendingUpload));
        return new UploadFolder(id, path, upload);
    }

    public static UploadFolder? TryOpen(string uploads, string id)
    {
        // The id comes from outside and becomes a path.
        if (!Guid.TryParseExact(id, "N", out _)) return null;
        try
        {
            var path = Path.Join(uploads, id);
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Join(path, Description)), StorageJson.Default.PendingUpload) is { } upload
                ? new UploadFolder(id, path, upload)
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            // Never begun, ended meanwhile, or cut off while it was made.
            return null;
        }
    }

    /// <summary>All of a bucket's, in the order in which they are listed.</summary>
    public static IEnumerable<UploadFolder> All(string uploads) =>
        Directory.EnumerateDirectories(uploads)
            .Select(path => TryOpen(uploads, Path.GetFileName(path)))
            .OfType<UploadFolder>()
            .OrderBy(folder => folder.Upload.Key, StringComparer.Ordinal)
            .ThenBy(folder => folder.Id, StringComparer.Ordinal);

    public string Part(int number) => Path.Join(_path, number.ToString("D5", CultureInfo.InvariantCulture));

    public IEnumerable<int> PartNumbers() =>
        Directory.EnumerateFiles(_path)
            .Select(Path.GetFileName)
            .Where(name => name != Description)
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Order();

    public void Delete()
    {
        try
        {
            // The description first: without it the upload is gone for everyone, however long the rest takes.
            File.Delete(Path.Join(_path, Description));
            Directory.Delete(_path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Someone else ended it too.
        }
    }
}
