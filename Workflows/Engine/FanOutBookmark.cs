using System.Text.Json;

namespace Darkroom.Engine;

/// <summary>What the bookmark of a fan-out remembers: where its body is, and the variables as the body may read them.</summary>
/// <param name="ActivityId">The fan-out activity in the definition.</param>
/// <param name="Variables">A snapshot; the body never writes outer variables.</param>
public sealed record FanOutBookmark(string ActivityId, IReadOnlyDictionary<string, JsonElement> Variables);
