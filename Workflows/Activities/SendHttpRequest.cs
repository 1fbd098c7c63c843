using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Egress;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Microsoft.Extensions.Options;

namespace Darkroom.Activities;

/// <summary>
/// Sends one HTTP request, through the egress guard and without following redirects. After a crash it may be sent again, with the
/// same Idempotency-Key.
/// </summary>
internal sealed class SendHttpRequest : WorkflowActivity, IDescribedActivity, IDisposable
{
    private const string Url = nameof(Url);
    private const string Method = nameof(Method);
    private const string Content = nameof(Content);
    private const string ContentType = nameof(ContentType);
    private const string Authorization = nameof(Authorization);
    private const string RequestHeaders = nameof(RequestHeaders);
    private const string ExpectedStatusCodes = nameof(ExpectedStatusCodes);
    private const string Unmatched = "Unmatched status code";
    private const string FailedToConnect = "Failed to connect";
    private const string TimedOut = "Timeout";

    private static readonly HashSet<string> ReservedHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Transfer-Encoding", "Connection", "Idempotency-Key", "Upgrade", "Expect", "Trailer", "TE", "Proxy-Authorization",
    };

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly EgressGuard _guard;
    private readonly TimeProvider _time;
    private readonly HttpRequestOptions _options;
    private readonly HttpMessageInvoker _http;

    public SendHttpRequest(EgressGuard guard, TimeProvider time, IOptions<HttpRequestOptions> options)
    {
        (_guard, _time, _options) = (guard, time, options.Value);
        _http = new HttpMessageInvoker(guard.CreateHandler());
    }

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.FlowSendHttpRequest",
        Place = ActivityPlace.Workflow,
        Category = "HTTP",
        DisplayName = "HTTP request (flow)",
        Description = "Sends an HTTP request to a public address and continues with the response's status, or with Done if that status is not connected. Redirects are not followed. "
            + "If Failed to connect or Timeout is not connected, the request is retried for a while and then faults.",
        Inputs =
        [
            new InputDescriptor(Url, typeof(string), null, "An http or https URL of a public address. The journal shows only its host.")
            {
                IsRequired = true, Redact = InputDescriptor.RedactUrl,
            },
            InputDescriptor.Choice(Method, "GET", "The method.",
                [.. new[] { "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD" }.Select(method => new InputOption(method, method))]),
            new InputDescriptor(Content, typeof(object), null, "The body: text is sent as is, anything else as JSON.") { UiHint = "multiline" },
            new InputDescriptor(ContentType, typeof(string), null, "The body's content type; application/json by default.")
            {
                Check = value => value is string { Length: > 0 } text && !MediaTypeHeaderValue.TryParse(text, out _) ? $"ContentType is not a media type: '{text}'." : null,
            },
            new InputDescriptor(Authorization, typeof(string), null, "The Authorization header, such as Bearer followed by a token.")
            {
                IsSensitive = true, Category = "Security", Check = value => value is string text && !IsHeaderValue(text) ? "Authorization must be a single line of plain ASCII." : null,
            },
            new InputDescriptor(RequestHeaders, typeof(object), null, "Further headers, as a JSON object of strings. The journal shows only their names.")
            {
                UiHint = "json-editor", Category = "Advanced", Redact = RedactHeaders, Check = value => value is JsonElement json && Headers(json) is null ? "RequestHeaders must be a JSON object whose values are single lines of plain ASCII." : null,
            },
            new InputDescriptor(ExpectedStatusCodes, typeof(object), JsonSerializer.SerializeToElement(new[] { 200 }), "Statuses with an outcome of their own, as a JSON array of numbers.")
            {
                UiHint = "dynamic-outcomes", DefaultSyntax = "Object", Check = value => value is JsonElement json && Codes(json) is null ? $"ExpectedStatusCodes must be a JSON array of at most {BranchFlattener.MaxAddedOutcomes} statuses, 100 to 599." : null,
            },
        ],
        Outputs =
        [
            new OutputDescriptor("StatusCode", typeof(int), "The response's status code."),
            new OutputDescriptor("ParsedContent", typeof(object), "The response's body: JSON as a value, anything else as text. A long body is truncated."),
        ],
        Outcomes = ["200", Outcome.Done, Unmatched, FailedToConnect, TimedOut],
        OutcomesInput = ExpectedStatusCodes,
    };

    public override async Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        if (_guard.CheckUrl(context.Inputs.Text(Url), out var url) is { } refusal)
            return Refused(refusal);
        using var limit = new CancellationTokenSource(_options.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var request = Compose(url!, context);
            if (request.Content?.Headers.ContentLength > _options.MaxRequestBytes)
                return new ActivityResult.Faulted("request_too_large", $"The body is larger than {_options.MaxRequestBytes:N0} bytes.");
            using var response = await _http.SendAsync(request, either.Token);
            var content = await ReadAsync(response, either.Token);
            return Complete(context, (int)response.StatusCode, content);
        }
        catch (Exception e) when (EgressRefusedException.Find(e) is { } found)
        {
            return Refused(found);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && context.LeadsOn(TimedOut))
        {
            return new ActivityResult.Completed(TimedOut);
        }
        catch (Exception e) when (e is HttpRequestException or IOException && context.LeadsOn(FailedToConnect))
        {
            return new ActivityResult.Completed(FailedToConnect);
        }
    }

    public void Dispose() => _http.Dispose();

    private static ActivityResult.Faulted Refused(EgressRefusal refusal) => new(refusal.Code, refusal.Message);

    private static HttpRequestMessage Compose(Uri url, WorkflowActivityContext context)
    {
        var request = new HttpRequestMessage(new HttpMethod(context.Inputs.Get<string>(Method)), url);
        if (context.Inputs.Values[Content] is JsonElement content)
        {
            var text = content.ValueKind == JsonValueKind.String ? content.GetString()! : content.GetRawText();
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(context.Inputs.Text(ContentType) ?? "application/json");
        }

        request.Headers.TryAddWithoutValidation("User-Agent", "Darkroom-Workflows/1.0");
        request.Headers.TryAddWithoutValidation("Idempotency-Key", context.ExecutionId.ToString("D"));
        if (context.Inputs.Text(Authorization) is { } authorization)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        var given = context.Inputs.Values[RequestHeaders] is JsonElement json ? Headers(json) ?? [] : [];
        foreach (var header in given.GroupBy(header => header.Name, header => header.Value, StringComparer.OrdinalIgnoreCase))
        {
            if (ReservedHeaders.Contains(header.Key))
                continue;
            HttpHeaders? headers = header.Key.StartsWith("Content-", StringComparison.OrdinalIgnoreCase) ? request.Content?.Headers : request.Headers;
            if (headers?.NonValidated.Contains(header.Key) == true)
                headers.Remove(header.Key);
            headers?.TryAddWithoutValidation(header.Key, header);
        }

        return request;
    }

    private static ActivityResult.Completed Complete(WorkflowActivityContext context, int status, object? content)
    {
        var expected = context.Inputs.Values[ExpectedStatusCodes] is JsonElement codes ? Codes(codes) ?? [] : [];
        var outcome = expected.Count == 0 ? Outcome.Done
            : expected.Contains(status) ? status.ToString(CultureInfo.InvariantCulture)
            : Unmatched;
        return new ActivityResult.Completed(context.LeadsOn(outcome) || !context.LeadsOn(Outcome.Done) ? outcome : Outcome.Done)
        {
            Outputs = new Dictionary<string, object?> { ["StatusCode"] = status, ["ParsedContent"] = content },
        };
    }

    private async Task<object?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var kept = new byte[_options.MaxContentBytes + 1];
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var length = await body.ReadAtLeastAsync(kept, kept.Length, throwOnEndOfStream: false, cancellationToken);
        if (length == 0)
            return null;
        var whole = length <= _options.MaxContentBytes;
        var text = Encoding.UTF8.GetString(kept, 0, Math.Min(length, _options.MaxContentBytes)).Replace('\0', '\uFFFD');
        if (!whole || response.Content.Headers.ContentType?.MediaType?.Contains("json", StringComparison.OrdinalIgnoreCase) != true)
            return text;
        return StorableJson.TryParse(text) is { } json ? json : text;
    }

    private static List<(string Name, string Value)>? Headers(JsonElement json)
    {
        json = Parsed(json);
        if (json.ValueKind == JsonValueKind.Undefined)
            return [];
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        var headers = new List<(string, string)>();
        foreach (var header in json.EnumerateObject())
        {
            if (header.Name.Length == 0 || header.Name.AsSpan().ContainsAnyExcept(NameCharacters))
                return null;
            if (header.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.Array))
                return null;
            foreach (var value in header.Value.ValueKind == JsonValueKind.Array ? header.Value.EnumerateArray().ToArray() : [header.Value])
            {
                var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
                if (!IsHeaderValue(text))
                    return null;
                headers.Add((header.Name, text));
            }
        }

        return headers;
    }

    /// <summary>Other characters would end the header, or be rejected when the request is sent.</summary>
    private static bool IsHeaderValue(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static List<int>? Codes(JsonElement json)
    {
        var texts = Parsed(json) is { ValueKind: JsonValueKind.Undefined } ? [] : BranchFlattener.StatusList(json);
        var codes = new List<int>();
        if (texts?.Count > BranchFlattener.MaxAddedOutcomes)
            return null;
        foreach (var text in texts ?? ["none"])
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code) || code is < 100 or > 599)
                return null;
            codes.Add(code);
        }

        return codes;
    }

    private static Dictionary<string, string> RedactHeaders(object value) =>
        (Headers((JsonElement)value) ?? []).DistinctBy(header => header.Name).ToDictionary(header => header.Name, _ => InputDescriptor.Hidden);

    /// <summary>Studio stores objects as text; blank text means no value.</summary>
    private static JsonElement Parsed(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.String)
            return json;
        return string.IsNullOrWhiteSpace(json.GetString()) ? default : StorableJson.TryParse(json.GetString()!) ?? json;
    }
}
