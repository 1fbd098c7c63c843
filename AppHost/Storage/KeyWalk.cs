using System.IO.Enumeration;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Enumerates keys in S3's order directly from the folders, so there is no index to rebuild after a restart. Keeps only the next
/// batch of names of a folder in memory, however large the folder is.
/// </summary>
internal sealed class KeyWalk(string root, string prefix)
{
    private const int BatchSize = 1024;
    private static readonly Comparer<string> Descending = Comparer<string>.Create((a, b) => string.CompareOrdinal(b, a));

    /// <summary>Keys that start with the prefix and come after <paramref name="after"/>.</summary>
    public IEnumerable<string> After(string after)
    {
        var start = prefix[..(prefix.LastIndexOf('/') + 1)];
        return Walk(KeyPath.Folder(root, start), start, after);
    }

    private IEnumerable<string> Walk(string folder, string keyPrefix, string after)
    {
        var last = "";
        while (true)
        {
            var entries = NextBatch(folder, keyPrefix, after, last);
            foreach (var entry in entries)
            {
                if (entry.IsObject)
                {
                    yield return keyPrefix + entry.KeyPart;
                    continue;
                }

                foreach (var key in Walk(Path.Join(folder, entry.Name), keyPrefix + entry.KeyPart, after))
                    yield return key;
            }

            if (entries.Length < BatchSize)
                yield break;
            last = entries[^1].KeyPart;
        }
    }

    private Entry[] NextBatch(string folder, string keyPrefix, string after, string last)
    {
        var smallest = new PriorityQueue<Entry, string>(Descending);
        try
        {
            foreach (var name in new FileSystemEnumerable<string>(folder, (ref FileSystemEntry found) => found.FileName.ToString()))
            {
                var entry = Entry.Parse(name);
                if ((last.Length > 0 && string.CompareOrdinal(entry.KeyPart, last) <= 0) || !MayContain(entry, keyPrefix + entry.KeyPart, after))
                    continue;
                smallest.Enqueue(entry, entry.KeyPart);
                if (smallest.Count > BatchSize)
                    smallest.Dequeue();
            }
        }
        catch (DirectoryNotFoundException)
        {
            // No key has this prefix, or the last one was deleted while we were reading.
        }

        var entries = new Entry[smallest.Count];
        for (var i = entries.Length - 1; i >= 0; i--)
            entries[i] = smallest.Dequeue();
        return entries;
    }

    private bool MayContain(Entry entry, string full, string after) =>
        entry.IsObject
            ? full.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(full, after) > 0
            : (full.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(full, StringComparison.Ordinal))
              && (string.CompareOrdinal(full, after) > 0 || after.StartsWith(full, StringComparison.Ordinal));

    /// <param name="KeyPart">The part of the key that this entry stands for, including the slash of a folder.</param>
    private readonly record struct Entry(string Name, string KeyPart, bool IsObject)
    {
        public static Entry Parse(string name) => name[0] switch
        {
            KeyPath.FolderMarker => new Entry(name, KeyPath.Decode(name) + "/", IsObject: false),
            KeyPath.LongMarker => new Entry(name, KeyPath.Decode(name), IsObject: false),
            _ => new Entry(name, KeyPath.Decode(name), IsObject: true),
        };
    }
}
