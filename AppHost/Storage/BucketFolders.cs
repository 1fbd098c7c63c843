namespace Darkroom.AppHost.Storage;

/// <summary>The folders on disk: <c>buckets/{bucket}</c> for objects, <c>uploads/{bucket}</c> for multipart uploads, <c>tmp</c> for writes in progress.</summary>
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

        // Anything here was still being written when the last process died, so it never became an object.
        if (Directory.Exists(_temporary))
            Directory.Delete(_temporary, recursive: true);
        Directory.CreateDirectory(_buckets);
        Directory.CreateDirectory(_uploads);
        Directory.CreateDirectory(_temporary);
    }

    /// <summary>False if the bucket already exists.</summary>
    public bool Create(string bucket)
    {
        if (!IsBucketName(bucket))
            throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.");
        if (Directory.Exists(Path.Join(_buckets, bucket)))
            return false;
        Directory.CreateDirectory(Path.Join(_buckets, bucket));
        Directory.CreateDirectory(Path.Join(_uploads, bucket));
        return true;
    }

    /// <summary>The folder of a bucket's objects.</summary>
    public string Objects(string bucket) => Existing(_buckets, bucket);

    /// <summary>The folder of a bucket's multipart uploads.</summary>
    public string Uploads(string bucket) => Existing(_uploads, bucket);

    public ObjectWriter BeginWrite() => new(Path.Join(_temporary, Interlocked.Increment(ref _written).ToString("x16", null)));

    /// <summary>Deletes objects, and folders that become empty.</summary>
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
                // The object does not exist, and neither does its folder.
            }
        }

        foreach (var folder in folders)
            RemoveEmpty(folder, root);
    }

    private static void RemoveEmpty(string folder, string root)
    {
        try
        {
            for (; folder.Length > root.Length; folder = Path.GetDirectoryName(folder)!)
            {
                // Cheaper than the exception for deleting a folder that is not empty.
                if (Directory.EnumerateFileSystemEntries(folder).Any())
                    return;
                Directory.Delete(folder);
            }
        }
        catch (IOException)
        {
            // In use again, or already removed by another request: both are fine.
        }
    }

    private static string Existing(string parent, string bucket)
    {
        var path = Path.Join(parent, bucket);
        // Check the name first: it comes from the client and becomes part of a path.
        return IsBucketName(bucket) && Directory.Exists(path) ? path : throw S3Error.NoSuchBucket();
    }

    private static bool IsBucketName(string name) =>
        name.Length is >= 3 and <= 63
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.')
        && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && !name.Contains("..", StringComparison.Ordinal);
}
