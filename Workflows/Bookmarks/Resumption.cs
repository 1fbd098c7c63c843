namespace Darkroom.Bookmarks;

/// <summary>A bookmark that has been resumed.</summary>
/// <param name="BookmarkId">The bookmark.</param>
/// <param name="ActivityId">The activity that created it.</param>
/// <param name="Payload">What the activity stored in it, as JSON.</param>
/// <param name="Input">What resumed it, as JSON.</param>
public sealed record Resumption(Guid BookmarkId, string ActivityId, string Payload, string Input)
{
    /// <summary>The NOTIFY channel for instances that are ready to be claimed: new ones, and those whose bookmark was resumed.</summary>
    public const string Channel = "darkroom_instances";
}
