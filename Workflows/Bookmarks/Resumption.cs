namespace Darkroom.Bookmarks;

/// <summary>A bookmark that something has woken.</summary>
/// <param name="BookmarkId">The bookmark.</param>
/// <param name="ActivityId">The activity that left it.</param>
/// <param name="Payload">What the activity remembered, JSON.</param>
/// <param name="Input">What woke it, JSON.</param>
public sealed record Resumption(Guid BookmarkId, string ActivityId, string Payload, string Input)
{
    /// <summary>The NOTIFY channel on which instances are announced that somebody should take up: new ones, and those whose bookmark was woken.</summary>
    public const string Channel = "darkroom_instances";
}
