namespace Darkroom.AppHost.Storage;

/// <summary>The folders on disk: <c>buckets/{bucket}</c> holds objects, <c>uploads/{bucket}</c> multipart uploads, <c>tmp</c> what is being written.</summary>
internal sealed class BucketFolders
{
    private readonly string _buckets;
    private readonly string _uploads;
    private readonly string _temporary;
    private long _written;

    public BucketFolders(string dataFolder)
    {
        var root = Path.GetFullPath(dataFolder);
        _buckets = Path.Join(root, "buckets");
        _uploads = Path.Join(root, "uploads");
        _temporary = Path.Join(root, "tmp");

        // What is there was being written when the last process died: it was never an object.
        if (Directory.Exists(_temporary)) Directory.Delete(_temporary, recursive: true);
        Directory.CreateDirectory(_buckets);
        Directory.CreateDirectory(_uploads);
        Directory.CreateDirectory(_temporary);
    }

    /// <summary>False if it was there already.</summary>
    public bool Create(string bucket)
    {
        if (!IsBucketName(bucket)) throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.");
        if (Directory.Exists(Path.Join(_buckets, bucket))) return false;
        Directory.CreateDirectory(Path.Join(_buckets, bucket));
        Directory.CreateDirectory(Path.Join(_uploads, bucket));
        return true;
    }

    /// <summary>The folder of a bucket's objects.</summary>
    public string Objects(string bucket) => Existing(_buckets, bucket);

    /// <summary>The folder of a bucket's multipart uploads.</summary>
    public string Uploads(string bucket) => Existing(_uploads, bucket);

    public ObjectWriter BeginWrite() => new(Path.Join(_temporary, Interlocked.Increment(ref _written).ToString("x16", null)));

    /// <summary>Deletes objects and the folders that they leave empty.</summary>
    public void Delete(string bucket, params IEnumerable<string> keys)
    {
        var root = Objects(bucket);
        var folders = new HashSet<string>();
        foreach (var key in keys)
        {
            var path = KeyPath.Object(root, key);
            try
            {
                File.Delete(path);
                folders.Add(Path.GetDirectoryName(path)!);
            }
            catch (DirectoryNotFoundException)
            {
                // No such object, nor anything beside it.
            }
        }

        foreach (var folder in folders) RemoveEmpty(folder, root);
    }

    private static void RemoveEmpty(string folder, string root)
    {
        try
        {
            for (; folder.Length > root.Length; folder = Path.GetDirectoryName(folder)!)
            {
                // Cheaper than the exception of deleting a full one.
                if (Directory.EnumerateFileSystemEntries(folder).Any()) return;
                Directory.Delete(folder);
            }
        }
        catch (IOException)
        {
            // Empty a moment ago, in use again or already removed by another: both are fine.
        }
    }

    private static string Existing(string parent, string bucket)
    {
        var path = Path.Join(parent, bucket);
        // The name is checked first: it comes from outside and becomes a path.
        return IsBucketName(bucket) && Directory.Exists(path) ? path : throw S3Error.NoSuchBucket();
    }

    private static bool IsBucketName(string name) =>
        name.Length is >= 3 and <= 63
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.')
        && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && !name.Contains("..", StringComparison.Ordinal);
}
