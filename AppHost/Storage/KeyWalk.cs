using System.IO.Enumeration;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Keys in S3's order, straight from the folders: nothing to rebuild after a restart. From a folder only the next few names in
/// order are kept while it is read, so memory does not grow with it.
/// </summary>
internal sealed class KeyWalk(string root, string prefix)
{
    private const int Batch = 1024;
    private static readonly Comparer<string> Descending = Comparer<string>.Create((a, b) => string.CompareOrdinal(b, a));

    /// <summary>Keys that start with the prefix and come after <paramref name="after"/>.</summary>
    public IEnumerable<string> After(string after)
    {
        var start = prefix[..(prefix.LastIndexOf('/') + 1)];
        return Walk(KeyPath.Folder(root, start), start, after);
    }

    private IEnumerable<string> Walk(string folder, string path, string after)
    {
        var last = "";
        while (true)
        {
            var entries = Next(folder, path, after, last);
            foreach (var entry in entries)
            {
                if (entry.IsObject)
                {
                    yield return path + entry.Sort;
                    continue;
                }

                foreach (var key in Walk(Path.Join(folder, entry.Name), path + entry.Sort, after)) yield return key;
            }

            if (entries.Length < Batch) yield break;
            last = entries[^1].Sort;
        }
    }

    private Entry[] Next(string folder, string path, string after, string last)
    {
        var smallest = new PriorityQueue<Entry, string>(Descending);
        try
        {
            foreach (var name in new FileSystemEnumerable<string>(folder, (ref FileSystemEntry found) => found.FileName.ToString()))
            {
                var entry = Entry.Of(name);
                if ((last.Length > 0 && string.CompareOrdinal(entry.Sort, last) <= 0) || !MayHold(entry, path + entry.Sort, after)) continue;
                smallest.Enqueue(entry, entry.Sort);
                if (smallest.Count > Batch) smallest.Dequeue();
            }
        }
        catch (DirectoryNotFoundException)
        {
            // No such prefix, or its last object was deleted while we read.
        }

        var entries = new Entry[smallest.Count];
        for (var i = entries.Length - 1; i >= 0; i--) entries[i] = smallest.Dequeue();
        return entries;
    }

    private bool MayHold(Entry entry, string full, string after) =>
        entry.IsObject
            ? full.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(full, after) > 0
            : (full.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(full, StringComparison.Ordinal))
              && (string.CompareOrdinal(full, after) > 0 || after.StartsWith(full, StringComparison.Ordinal));

    /// <param name="Sort">What all keys behind this entry go on with: for a folder with its slash.</param>
    private readonly record struct Entry(string Name, string Sort, bool IsObject)
    {
        public static Entry Of(string name) => name[0] switch
        {
            KeyPath.FolderMark => new Entry(name, KeyPath.Decode(name) + "/", IsObject: false),
            KeyPath.LongMark => new Entry(name, KeyPath.Decode(name), IsObject: false),
            _ => new Entry(name, KeyPath.Decode(name), IsObject: true),
        };
    }
}
