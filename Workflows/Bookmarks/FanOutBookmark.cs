using System.Text.Json;
using System.Text.Json.Serialization;

namespace Darkroom.Bookmarks;

/// <summary>The payload of a fan-out's bookmark: where its body is, and the variables that the body may read.</summary>
/// <param name="ActivityId">The fan-out activity in the definition.</param>
/// <param name="Variables">A snapshot; the body never writes outer variables.</param>
/// <param name="MaxAttempts">How many times the body may be started for one image.</param>
public sealed record FanOutBookmark(string ActivityId, IReadOnlyDictionary<string, JsonElement> Variables, int MaxAttempts = 3)
{
    /// <summary>The name of these bookmarks: the type of the activity that creates them.</summary>
    public const string Name = "Darkroom.FanOutImages";

    /// <summary>The request's inputs.</summary>
    public IReadOnlyDictionary<string, JsonElement> Inputs { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Outputs of the activities that completed before.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>> Outputs { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>();

    public string ToJson() => JsonSerializer.Serialize(this, FanOutJson.Default.FanOutBookmark);

    public static FanOutBookmark FromJson(string json) => JsonSerializer.Deserialize(json, FanOutJson.Default.FanOutBookmark)!;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FanOutBookmark))]
internal sealed partial class FanOutJson : JsonSerializerContext;
