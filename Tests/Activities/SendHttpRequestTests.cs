using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Activities;
using Darkroom.AppHost.Hosting;
using Darkroom.Data;
using Darkroom.Tests.Engine;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Runs;
using Darkroom.Tests.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Activities;

public sealed class SendHttpRequestTests : IAsyncLifetime
{
    private const string TimedOut = "Timeout";
    private const string FailedToConnect = "Failed to connect";

    private readonly FakeTimeProvider _time = new();
    private readonly Darkroom.Activities.HttpRequestOptions _options = new() { Timeout = TimeSpan.FromSeconds(30), MaxRequestBytes = 1_024, MaxContentBytes = 20 };
    private WebhookReceiver _receiver = null!;
    private EngineRig _rig = null!;

    public async Task InitializeAsync()
    {
        _receiver = await WebhookReceiver.StartAsync();
        _rig = await EngineRig.StartAsync(Toolbox.With(_time, _options));
    }

    public async Task DisposeAsync()
    {
        await _rig.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task A_request_sends_its_execution_id_and_its_response_reaches_a_bound_variable()
    {
        AnswerJson("{\"id\":7}", 201);
        await _rig.RequestAsync(Call(_receiver.Url, "[201]").Variable("v1", "Answer", "", "Object")
            .With("call", "parsedContent", new JsonObject { ["typeName"] = "Object", ["memoryReference"] = new JsonObject { ["id"] = "v1" } })
            .Activity("fault", "Elsa.Fault", ("code", "JavaScript", "'got_' + variables.Answer.id + '_' + getOutputFrom('call', 'StatusCode')")).Connect("call", "201", "fault"));

        await RunAsync();

        var sent = await _receiver.NextAsync();
        var execution = (Guid)(await _rig.Database.DataSource.Sql("select id from activity_executions where activity_id = 'call'").ExecuteScalarAsync())!;
        Assert.Equal(execution.ToString("D"), sent.Headers["Idempotency-Key"]);
        Assert.Equal("got_7_201", await _rig.Database.DataSource.Sql("select error_code from csv_data_table").ExecuteScalarAsync());
    }

    [Theory]
    [InlineData("http://10.0.0.1/", "forbidden_address")]
    [InlineData("http://169.254.169.254/latest/meta-data", "forbidden_address")]
    [InlineData("file:///etc/passwd", "forbidden_scheme")]
    public async Task A_request_to_a_forbidden_address_faults_at_once(string url, string code)
    {
        var request = await _rig.RequestAsync(Call(url, "[200]"));

        await RunAsync();

        Assert.Equal(("failed", code), await _rig.StatusAsync(request));
    }

    [Fact]
    public async Task A_redirect_is_a_response_and_is_not_followed()
    {
        _receiver.Answer = context =>
        {
            context.Response.Redirect("http://10.0.0.1/");
            return Task.CompletedTask;
        };
        await _rig.RequestAsync(Call().Activity("other", "Elsa.WriteLine").Connect("call", "Unmatched status code", "other"));

        await RunAsync();

        Assert.Equal(["call Completed", "other Completed"], await _rig.JournalAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_whose_response_takes_too_long_continues_with_Timeout(bool begun)
    {
        _receiver.Answer = context => HoldAsync(context, begun);
        await _rig.RequestAsync(Call().Activity("late", "Elsa.WriteLine").Connect("call", TimedOut, "late"));

        await RunAsync();

        Assert.Equal(["call Completed", "late Completed"], await _rig.JournalAsync());
    }

    [Fact]
    public async Task A_timeout_that_is_not_connected_is_retried_with_the_same_key_and_then_faults()
    {
        _receiver.Answer = context => HoldAsync(context, begun: false);
        var request = await _rig.RequestAsync(Call().Activity("next", "Elsa.WriteLine").Connect("call", "200", "next"));

        await RunToFailureAsync(request);

        Assert.Equal(("failed", "activity_failed"), await _rig.StatusAsync(request));
        Assert.Equal(_rig.Options.ActivityAttempts, _receiver.All.Count);
        Assert.Single(_receiver.All.Select(sent => sent.Headers["Idempotency-Key"]).Distinct());
    }

    [Fact]
    public async Task A_request_that_cannot_connect_continues_with_Failed_to_connect()
    {
        await _rig.RequestAsync(Call(NobodysUrl).Activity("away", "Elsa.WriteLine").Connect("call", FailedToConnect, "away"));

        await RunAsync();

        Assert.Equal(["call Completed", "away Completed"], await _rig.JournalAsync());
    }

    [Fact]
    public async Task A_failure_to_connect_that_is_not_connected_faults_in_the_end()
    {
        var request = await _rig.RequestAsync(Call(NobodysUrl));

        await RunToFailureAsync(request);

        Assert.Equal(("failed", "activity_failed"), await _rig.StatusAsync(request));
        Assert.Equal($"call failed {_rig.Options.ActivityAttempts} times.", await _rig.ErrorMessageAsync());
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_not_sent()
    {
        var request = await _rig.RequestAsync(Call(content: "'x'.repeat(1025)"));

        await RunAsync();

        Assert.Equal(("failed", "request_too_large"), await _rig.StatusAsync(request));
        Assert.Empty(_receiver.All);
    }

    [Fact]
    public async Task An_endless_response_is_truncated()
    {
        var hungUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _receiver.Answer = async context =>
        {
            context.RequestAborted.Register(() => hungUp.TrySetResult());
            context.Response.ContentType = "application/json";
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.WriteAsync("[1,2,3]");
        };
        await _rig.RequestAsync(Call());

        await RunAsync();

        Assert.Equal("[1,2,3][1,2,3][1,2,3]"[.._options.MaxContentBytes], (await OutputsAsync()).GetProperty("ParsedContent").GetString());
        await hungUp.Task.WaitAsync(Eventually.Patience);
    }

    [Theory]
    [InlineData("[\"\\u0000\"]")]
    [InlineData("[\"\\ud800\"]")]
    [InlineData("[1e99999999]")]
    [InlineData("{\"\\udc00\":1}")]
    public async Task A_response_that_the_database_cannot_store_does_not_stop_the_workflow(string json)
    {
        AnswerJson(json);
        await _rig.RequestAsync(Call().Activity("next", "Elsa.WriteLine").Connect("call", "200", "next"));

        await RunAsync();

        Assert.Equal(["call Completed", "next Completed"], await _rig.JournalAsync());
    }

    [Fact]
    public async Task The_authorization_is_sent_and_is_not_in_the_journal()
    {
        await _rig.RequestAsync(Call(inputs: ("authorization", "JavaScript", "'Bearer ' + 'secret'.toUpperCase()")));

        await RunAsync();

        Assert.Equal("Bearer SECRET", (await _receiver.NextAsync()).Headers["Authorization"]);
        Assert.Equal("***", await _rig.Database.DataSource.Sql("select inputs ->> 'Authorization' from activity_executions").ExecuteScalarAsync());
        Assert.Equal(false, await _rig.Database.DataSource.Sql("select bool_or(e::text || i.state like '%SECRET%') from activity_executions e, workflow_instances i").ExecuteScalarAsync());
    }

    [Fact]
    public async Task Secrets_in_the_URL_and_the_headers_are_not_in_the_journal()
    {
        await _rig.RequestAsync(Call(_receiver.Url.TrimEnd('/') + "/services/hook-password", inputs: ("requestHeaders", "Object", """{"X-Token":"token-password"}""")));

        await RunAsync();

        Assert.Equal("token-password", (await _receiver.NextAsync()).Headers["X-Token"]);
        var journal = (string)(await _rig.Database.DataSource.Sql("select inputs::text from activity_executions").ExecuteScalarAsync())!;
        Assert.Contains($"\"Url\": \"{new Uri(_receiver.Url).GetLeftPart(UriPartial.Authority)}/***\"", journal, StringComparison.Ordinal);
        Assert.Contains("{\"X-Token\": \"***\"}", journal, StringComparison.Ordinal);
        Assert.DoesNotContain("password", journal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("requestHeaders", "({ 'X-A': '1\\r\\nX-Smuggled: 2' })")]
    [InlineData("requestHeaders", "({ 'X-A': ['1', '2\\nX-Smuggled: 2'] })")]
    [InlineData("requestHeaders", "({ 'X-A: 1\\r\\nX-Smuggled': '2' })")]
    [InlineData("requestHeaders", "'{\"X-A\":\"1\\\\r\\\\nX-Smuggled: 2\"}'")]
    [InlineData("requestHeaders", "({ 'X-A': 'Zo\\u00eb' })")]
    [InlineData("requestHeaders", "({ 'X A': '1' })")]
    [InlineData("requestHeaders", "'{\"X-A\":\"\\\\ud800\"}'")]
    [InlineData("authorization", "'Bearer a\\r\\nX-Smuggled: 2'")]
    [InlineData("authorization", "'Bearer Zo\\u00eb'")]
    [InlineData("contentType", "'text/plain\\r\\nX-Smuggled: 2'")]
    [InlineData("contentType", "'text/plain; a=\"\\r\\nX-Smuggled: 2\"'")]
    [InlineData("url", "'http://127.0.0.1/\\r\\nX-Smuggled: 2'")]
    public async Task An_invalid_header_or_URL_is_refused_at_once_and_nothing_is_sent(string input, string value)
    {
        var request = await _rig.RequestAsync(Call(inputs: (input, "JavaScript", value)));

        await RunAsync();

        Assert.Equal(("failed", input == "url" ? "invalid_url" : "expression_failed"), await _rig.StatusAsync(request));
        Assert.DoesNotContain("Zo", await _rig.ErrorMessageAsync(), StringComparison.Ordinal);
        Assert.Empty(_receiver.All);
    }

    [Fact]
    public async Task Headers_that_frame_the_request_cannot_be_overridden()
    {
        const string headers = """
            {"host":"evil.test","Content-Length":"1","Transfer-Encoding":"chunked","Connection":"upgrade","Idempotency-Key":"mine","Expect":"100-continue","X-Mine":"1"}
            """;
        await _rig.RequestAsync(Call(inputs: ("requestHeaders", "Literal", headers)));

        await RunAsync();

        var sent = await _receiver.NextAsync();
        Assert.Equal("{\"n\":1}", Encoding.UTF8.GetString(sent.Body));
        Assert.Equal(new Uri(_receiver.Url).Authority, sent.Headers["Host"]);
        Assert.Equal("7", sent.Headers["Content-Length"]);
        Assert.NotEqual("mine", sent.Headers["Idempotency-Key"]);
        Assert.Equal("1", sent.Headers["X-Mine"]);
        Assert.All((string[])["Transfer-Encoding", "Connection", "Expect"], name => Assert.DoesNotContain(name, sent.Headers.Keys));
    }

    [Fact]
    public async Task A_given_header_replaces_the_default_one()
    {
        const string headers = """{"content-type":"text/csv","User-Agent":"Somebody/2","authorization":"Basic x"}""";
        await _rig.RequestAsync(Call(inputs: [("requestHeaders", "Literal", headers), ("authorization", "Literal", "Bearer y")]));

        await RunAsync();

        var sent = await _receiver.NextAsync();
        Assert.Equal(("text/csv", "Somebody/2", "Basic x"), (sent.ContentType, sent.Headers["User-Agent"], sent.Headers["Authorization"]));
    }

    [Theory]
    [InlineData(200, "own Completed")]
    [InlineData(404, "other Completed")]
    [InlineData(500, "other Completed")]
    public async Task A_status_that_is_not_connected_continues_with_Done(int status, string next)
    {
        _receiver.AnswerStatus(status);
        await _rig.RequestAsync(Call(codes: "[200, 404]").Activity("own", "Elsa.WriteLine").Activity("other", "Elsa.WriteLine")
            .Connect("call", "200", "own").Connect("call", "Done", "other"));

        await RunAsync();

        Assert.Equal(["call Completed", next], await _rig.JournalAsync());
    }

    private static string NobodysUrl => $"http://127.0.0.1:{FreePort.Find()}/";

    private WorkflowJson Call(
        string? url = null, string codes = "[200]", string content = "({ n: 1 })", params (string Input, string ExpressionType, JsonNode? Value)[] inputs) =>
        new WorkflowJson().Activity(
            "call", "Elsa.FlowSendHttpRequest",
            [("url", "Literal", url ?? _receiver.Url), ("method", "Literal", "POST"), ("content", "JavaScript", content), ("expectedStatusCodes", "Object", codes), .. inputs]);

    private void AnswerJson(string json, int status = 200) => _receiver.Answer = async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(json);
    };

    /// <summary>Never responds, or never completes the response, until the timeout has passed.</summary>
    private async Task HoldAsync(HttpContext context, bool begun)
    {
        if (begun)
        {
            await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
        }

        _time.Advance(_options.Timeout);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
    }

    private async Task RunAsync() => await (await _rig.ProcessAsync()).RunAllAsync();

    /// <summary>Runs the activity, including all retries.</summary>
    private async Task RunToFailureAsync(RequestId request)
    {
        var process = await _rig.ProcessAsync();
        await Eventually.GetAsync(
            async () =>
            {
                await process.RunAllAsync();
                return await _rig.StatusAsync(request);
            },
            answer => answer.Status == "failed", "The request fails");
    }

    private async Task<JsonElement> OutputsAsync() =>
        JsonSerializer.Deserialize<JsonElement>((string)(await _rig.Database.DataSource.Sql("select outputs::text from activity_executions").ExecuteScalarAsync())!);
}
