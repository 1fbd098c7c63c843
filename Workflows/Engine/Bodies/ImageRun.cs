using System.Text.Json;
using System.Text.Json.Serialization;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;
using Darkroom.Images;
using Darkroom.Images.Containers;

namespace Darkroom.Engine.Bodies;

/// <summary>
/// One run of a fan-out's body on one image: the working image, what has been stored so far, and a journal that is saved only
/// if the image fails. Image bytes live here, never in variables.
/// </summary>
public sealed class ImageRun(ClaimedImage image, TimeProvider time) : IImageFacts, IDisposable
{
    private readonly List<JournalEntry> _journal = new(4);
    private ActivityNode? _at;
    private long _since;
    private FetchedImage? _source;
    private ImageHeader? _header;
    private string? _note;
    private int _noted;

    // Characters of all journal lines of one image together: a request may have a hundred thousand images that fail.
    private const int MaxNoted = 4_096;

    public ClaimedImage Image { get; } = image;

    /// <summary>The bytes as downloaded; null until then.</summary>
    public FetchedImage? Source
    {
        get => _source;
        set
        {
            _source?.Dispose();
            _source = value;
            _header = null;
            Plan = ImagePlan.Empty;
        }
    }

    /// <summary>What to do with the working image when its bytes are next needed.</summary>
    public ImagePlan Plan { get; set; } = ImagePlan.Empty;

    /// <summary>The stored original.</summary>
    public ImageObject? Original { get; set; }

    /// <summary>The stored result; the image succeeds if this is set when the body ends.</summary>
    public ImageObject? Output { get; set; }

    /// <summary>The downloaded bytes, for an activity that needs them.</summary>
    /// <exception cref="ImageFailedException">The workflow has not downloaded the image before this point.</exception>
    public FetchedImage DownloadedSource() => Source
        ?? throw new ImageFailedException(new ImageFailure("not_downloaded", "The workflow uses the image before it downloads it."));

    /// <summary>What expressions can read about this image.</summary>
    internal IImageFacts Facts => this;

    string IImageFacts.Url => Image.Url;
    int IImageFacts.Row => Image.Row;
    int IImageFacts.Position => Image.Position;
    int? IImageFacts.Width => Header?.Displayed.Width;
    int? IImageFacts.Height => Header?.Displayed.Height;
    long? IImageFacts.Bytes => _source?.Length;
    string? IImageFacts.Format => _source?.Format.ToString().ToLowerInvariant();

    /// <summary>Read from the file's structure, once, and only if an expression needs it.</summary>
    private ImageHeader? Header => _source is null ? null : _header ??= ImageContainers.Inspect(_source.Format, _source.Memory.Span);

    /// <summary>Adds a line of the current activity to the journal, if that is to keep it.</summary>
    internal void Note(JournalLine line)
    {
        if (_noted == MaxNoted || _at?.Logs.KeepsInput(line.Input) == false)
            return;
        var room = MaxNoted - _noted;
        var text = line.Text.Length < room ? line.Text : line.Text[..(room - 1)] + "…";
        _noted += Math.Min(line.Text.Length + 1, room);
        _note = _note is null ? text : $"{_note}\n{text}";
    }

    internal void At(ActivityNode node)
    {
        _at = node;
        _since = time.GetTimestamp();
    }

    internal void Passed(string outcome)
    {
        _journal.Add(new JournalEntry(_at!.NodeId, _at.Name, outcome, Milliseconds(), _note));
        _note = null;
        _at = null;
    }

    /// <summary>The steps taken, ending with the one that failed, as JSON.</summary>
    internal string Journal(string failure)
    {
        if (_at is null)
            return JsonSerializer.Serialize(_journal);
        return JsonSerializer.Serialize(_journal.Append(new JournalEntry(_at.NodeId, _at.Name, failure, Milliseconds(), _note)));
    }

    /// <summary>The activities completed so far, and the current one.</summary>
    internal ImageTrace Trace()
    {
        var passed = new string[_journal.Count];
        for (var i = 0; i < passed.Length; i++)
            passed[i] = _journal[i].NodeId;
        return new ImageTrace(passed, _at?.NodeId);
    }

    public void Dispose() => _source?.Dispose();

    private long Milliseconds() => (long)time.GetElapsedTime(_since).TotalMilliseconds;

    private sealed record JournalEntry(
        string NodeId, string Activity, string Outcome, long Milliseconds,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text);
}
