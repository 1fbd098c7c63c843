using System.Text.Json;
using Darkroom.Images;
using Darkroom.Queue;

namespace Darkroom.Engine;

/// <summary>
/// One run of a fan-out's body on one image: the working image, what has been stored so far, and a journal that is kept only
/// if the image fails. Bytes live here, never in variables.
/// </summary>
public sealed class ImageRun(ClaimedImage image, TimeProvider time) : IDisposable
{
    private readonly List<JournalEntry> _journal = new(4);
    private ActivityNode? _at;
    private long _since;
    private FetchedImage? _source;

    public ClaimedImage Image { get; } = image;

    /// <summary>The bytes as they came from their source; null until they are downloaded.</summary>
    public FetchedImage? Source
    {
        get => _source;
        set
        {
            _source?.Dispose();
            _source = value;
            Plan = ImagePlan.Empty;
        }
    }

    /// <summary>What is to be done with the working image when its bytes are next needed.</summary>
    public ImagePlan Plan { get; set; } = ImagePlan.Empty;

    /// <summary>The original as it was stored.</summary>
    public ImageObject? Original { get; set; }

    /// <summary>The result as it was stored; the image succeeds if there is one when the body ends.</summary>
    public ImageObject? Output { get; set; }

    /// <summary>The downloaded bytes, for an activity that cannot do without.</summary>
    /// <exception cref="ImageFailedException">The workflow has not downloaded the image before this point.</exception>
    public FetchedImage DownloadedSource() => Source
        ?? throw new ImageFailedException(new ImageFailure("not_downloaded", "The workflow uses the image before it downloads it."));

    internal void At(ActivityNode node)
    {
        _at = node;
        _since = time.GetTimestamp();
    }

    internal void Passed(string outcome)
    {
        _journal.Add(new JournalEntry(_at!.NodeId, _at.Name, outcome, Milliseconds()));
        _at = null;
    }

    /// <summary>The steps taken, the failing one last, as JSON.</summary>
    internal string Journal(string failure)
    {
        if (_at is null) return JsonSerializer.Serialize(_journal);
        return JsonSerializer.Serialize(_journal.Append(new JournalEntry(_at.NodeId, _at.Name, failure, Milliseconds())));
    }

    /// <summary>The activities passed so far, and the one that is not done.</summary>
    internal ImageTrace Trace()
    {
        var passed = new string[_journal.Count];
        for (var i = 0; i < passed.Length; i++) passed[i] = _journal[i].NodeId;
        return new ImageTrace(passed, _at?.NodeId);
    }

    public void Dispose() => _source?.Dispose();

    private long Milliseconds() => (long)time.GetElapsedTime(_since).TotalMilliseconds;

    private sealed record JournalEntry(string NodeId, string Activity, string Outcome, long Milliseconds);
}
