using System.Text.Json;
using System.Text.Json.Serialization;

namespace Darkroom.Api.Requests;

/// <summary>The JSON of the request API: snake_case, like the database's columns, and null for missing values.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(RequestView))]
[JsonSerializable(typeof(WorkflowListView))]
[JsonSerializable(typeof(RequestPageView))]
[JsonSerializable(typeof(ImagePageView))]
[JsonSerializable(typeof(IReadOnlyList<CsvErrorView>))]
internal sealed partial class RequestJson : JsonSerializerContext;
