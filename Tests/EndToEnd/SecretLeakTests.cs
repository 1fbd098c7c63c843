using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Darkroom.Access;
using Darkroom.Api;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Redis;
using Darkroom.AppHost.Storage;
using Darkroom.Tests.Api;
using Darkroom.Tests.Images.Decoders;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Webhooks;
using Darkroom.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.Tests.EndToEnd;

/// <summary>
/// Runs the product at log level Trace, with every span and measurement recorded, and looks for every secret that it handles in all that
/// it logs, traces, measures and answers with an error.
/// </summary>
public sealed class SecretLeakTests
{
    // Everything that the services log less of by default.
    private static readonly string[] LogCategories =
        ["Default", "Microsoft.AspNetCore", "Microsoft.AspNetCore.DataProtection", "Microsoft.Extensions.Http", "System.Net.Http.HttpClient", "Polly", "Npgsql", "StackExchange.Redis"];

    [Fact]
    public async Task No_secret_is_logged_traced_measured_or_returned_in_an_error()
    {
        var secrets = new Dictionary<string, string>
        {
            ["password of Postgres"] = NewSecret(),
            ["password of Redis"] = NewSecret(),
            ["secret key of S3"] = NewSecret(),
            ["key of the database's secrets"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
            ["token of a source URL"] = NewSecret(),
            ["token of a webhook URL"] = NewSecret(),
        };
        await using var database = await TestDatabase.CreateAsync();
        // Before statements are recorded: this one contains the password.
        var role = "leak_" + NewSecret()[..8];
        await database.DataSource.CreateCommand($"create role {role} superuser login password '{secrets["password of Postgres"]}'").ExecuteNonQueryAsync();
        using var logs = new RecordedLogs();
        using var spans = new SpanTexts();
        using var labels = new MetricLabels();
        var problems = new ConcurrentQueue<string>();

        await using var images = await ImageServer.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var redis = GarnetServer.Start(password: secrets["password of Redis"]);
        var folder = ServerData.CreateFolder("darkroom-s3-");
        var failing = false;
        await using var s3 = await S3Endpoint.StartAsync(new S3EndpointOptions
        {
            DataFolder = folder,
            AccessKey = "access",
            SecretKey = secrets["secret key of S3"],
            Bucket = "darkroom",
            Intercept = context => failing ? TestS3.RefuseAsync(context, 403, "AccessDenied") : Task.CompletedTask,
        });
        var settings = new Dictionary<string, string>(DarkroomSystem.ShortTimeouts)
        {
            ["ConnectionStrings:darkroom"] = new NpgsqlConnectionStringBuilder(database.ConnectionString)
            {
                Username = role,
                Password = secrets["password of Postgres"],
            }.ConnectionString,
            ["ConnectionStrings:redis"] = redis.ConnectionString,
            ["ConnectionStrings:s3"] = s3.ConnectionString,
            ["Links:BaseUrl"] = $"http://127.0.0.1:{FreePort.Find()}",
            ["Secrets:Key"] = secrets["key of the database's secrets"],
        };
        foreach (var category in LogCategories)
            settings[$"Logging:LogLevel:{category}"] = "Trace";
        string[] arguments = ["--environment=Development", .. settings.Select(setting => $"--{setting.Key}={setting.Value}")];

        await using var api = ApiApp.Build([.. arguments, $"--urls={settings["Links:BaseUrl"]}"], logs.AddTo);
        await api.StartAsync();
        using var worker = WorkerApp.Build(arguments, builder =>
        {
            logs.AddTo(builder);
            builder.Services.AddSingleton(TestDecoders.Own);
        });
        await worker.StartAsync();

        var keys = api.Services.GetRequiredService<ApiKeyStore>();
        var key = await keys.CreateAsync("acme", "test", Scopes.All, default);
        var bad = ApiKeyText.Generate();
        secrets["API key"] = SecretOf(key.Text);
        secrets["bad API key"] = SecretOf(bad);
        secrets["webhook secret"] = key.WebhookSecret![WebhookSecrets.Prefix.Length..];

        using var http = new HttpClient(new KeepProblems(problems) { InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false } })
        {
            BaseAddress = new Uri(settings["Links:BaseUrl"]),
        };
        using (var client = new DarkroomClient(http.BaseAddress, key.Text))
        {
            secrets["rotated webhook secret"] = (await client.RotateWebhookSecretAsync())[WebhookSecrets.Prefix.Length..];
            var source = $"{images.Good(1)}?token={secrets["token of a source URL"]}";
            var missing = $"{images.Missing(2)}?token={secrets["token of a source URL"]}";
            var request = await client.UploadAsync(ProductCsv.Of([source, missing]), $"{receiver.Url}?token={secrets["token of a webhook URL"]}");
            await receiver.NextAsync();
            await request.EndAsync();
            var link = (await request.OutputRowsAsync())[0].Outputs[0];
            secrets["capability of an image link"] = link[(link.LastIndexOf('/') + 1)..];
        }

        // As a stranger, then with keys, then in the browser.
        await CallAsync("/v1/requests");
        await CallAsync("/v1/requests", bad);
        await CallAsync("/v1/requests/none", key.Text);
        await CallAsync($"/v1/nothing?key={secrets["API key"]}", key.Text);
        await CallAsync($"/i/999999/{secrets["capability of an image link"]}");
        await CallAsync($"/v1/requests?webhook_url=https://h.test/{secrets["token of a webhook URL"]}", key.Text, new StringContent("nonsense") { Headers = { ContentType = new("text/csv") } });
        using (var redirect = await CallAsync($"/i/1/{secrets["capability of an image link"]}"))
            secrets["signature of a presigned link"] = redirect.Headers.Location!.Query.Split("X-Amz-Signature=")[1].Split('&')[0];
        using (var signIn = await CallAsync("/studio/session", key.Text, new ByteArrayContent([])))
            secrets["session cookie"] = signIn.Headers.GetValues("Set-Cookie").Single().Split('=', ';')[1];
        await CallAsync("/elsa/api/workflow-instances/none", cookie: $"darkroom-studio={secrets["session cookie"]}");
        await CallAsync("/elsa/api/workflow-definitions", cookie: "darkroom-studio=" + secrets["session cookie"][1..]);
        // Dependencies fail.
        failing = true;
        await CallAsync("/v1/requests", key.Text, ApiClient.Form(("file", ApiClient.GoodCsv)));
        redis.Dispose();
        await CallAsync("/v1/requests", key.Text);
        await worker.StopAsync();
        await api.StopAsync();
        Directory.Delete(folder, recursive: true);
        await database.DataSource.CreateCommand($"drop role {role}").ExecuteNonQueryAsync();

        Assert.All(secrets.Values, secret => Assert.True(secret.Length >= 20));
        var sources = new Dictionary<string, IReadOnlyCollection<string>>
        {
            ["log"] = logs.Lines,
            // Without the calls that this test makes as a client.
            ["span"] = [.. spans.Texts.Where(text => !text.Contains($"url.full={http.BaseAddress}", StringComparison.Ordinal))],
            ["metric"] = labels.Texts,
            ["error"] = problems,
        };
        // What is recorded is really this system's.
        Assert.Contains(key.Key.Prefix, string.Join('\n', logs.Lines), StringComparison.Ordinal);
        Assert.Contains(spans.Texts, text => text.Contains("/v1/requests", StringComparison.Ordinal));
        Assert.Contains(spans.Texts, text => text.Contains("webhook attempt", StringComparison.Ordinal));
        Assert.Contains(labels.Texts, text => text.Contains("not_found", StringComparison.Ordinal));
        Assert.InRange(logs.Lines.Count, 200, 1_000_000);
        Assert.InRange(problems.Count, 8, 100);
        var leaks =
            from source in sources
            from secret in secrets
            from text in source.Value
            where text.Contains(secret.Value, StringComparison.OrdinalIgnoreCase) || text.Contains(Uri.EscapeDataString(secret.Value), StringComparison.OrdinalIgnoreCase)
            select $"The {secret.Key} is in a {source.Key}: {Short(text, secret.Value)}";
        var shown = string.Join(Environment.NewLine, leaks.Distinct().Take(40));
        Assert.True(shown.Length == 0, shown);

        async Task<HttpResponseMessage> CallAsync(string path, string? withKey = null, HttpContent? body = null, string? cookie = null)
        {
            using var message = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path) { Content = body };
            if (withKey is not null)
                message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", withKey);
            if (cookie is not null)
                message.Headers.Add("Cookie", cookie);
            return await http.SendAsync(message);
        }
    }

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private static string SecretOf(string key) => key[(key.LastIndexOf(ApiKeyText.Prefix(key)!, StringComparison.Ordinal) + ApiKeyText.Prefix(key)!.Length + 1)..];

    private static string Short(string text, string secret)
    {
        var start = Math.Max(0, text.IndexOf(secret, StringComparison.OrdinalIgnoreCase) - 160);
        return text[start..Math.Min(text.Length, start + 200)].ReplaceLineEndings(" ");
    }

    private sealed class KeepProblems(ConcurrentQueue<string> problems) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (response.StatusCode >= HttpStatusCode.BadRequest)
                problems.Enqueue($"{await response.Content.ReadAsStringAsync(cancellationToken)} {response.Headers}");
            return response;
        }
    }

    /// <summary>All log records with their scopes, state and exceptions.</summary>
    private sealed class RecordedLogs : ILoggerProvider, ISupportExternalScope
    {
        private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

        public ConcurrentQueue<string> Lines { get; } = new();

        public void AddTo(IHostApplicationBuilder builder) => builder.Logging.ClearProviders().AddProvider(this);

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public void Dispose()
        {
        }

        private static string Values(object? state) =>
            state is IEnumerable<KeyValuePair<string, object?>> values ? string.Join(' ', values.Select(value => $"{value.Key}={value.Value}")) : $"{state}";

        private sealed class Logger(RecordedLogs logs, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => logs._scopes.Push(state);

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                var scopes = new List<string>();
                logs._scopes.ForEachScope((scope, list) => list.Add(Values(scope)), scopes);
                logs.Lines.Enqueue($"{logLevel} {category}: {formatter(state, exception)} | {Values(state)} | {string.Join(' ', scopes)} | {exception}");
            }
        }
    }

    /// <summary>Name, tags and events of every span of any source.</summary>
    private sealed class SpanTexts : IDisposable
    {
        private readonly ActivityListener _listener;

        public SpanTexts()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = _ => true,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span => Texts.Enqueue(
                    $"{span.Source.Name} {span.DisplayName} {span.StatusDescription} {Tags(span.TagObjects)} {string.Join(' ', span.Events.Select(e => $"{e.Name} {Tags(e.Tags)}"))} {span.TraceStateString}"),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public ConcurrentQueue<string> Texts { get; } = new();

        public void Dispose() => _listener.Dispose();

        private static string Tags(IEnumerable<KeyValuePair<string, object?>> tags) => string.Join(' ', tags.Select(tag => $"{tag.Key}={tag.Value}"));
    }

    /// <summary>The labels of every measurement of any meter.</summary>
    private sealed class MetricLabels : IDisposable
    {
        private readonly MeterListener _listener = new() { InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument) };
        private readonly ConcurrentDictionary<string, bool> _texts = new();

        public MetricLabels()
        {
            _listener.SetMeasurementEventCallback<int>((instrument, _, labels, _) => Keep(instrument, labels));
            _listener.SetMeasurementEventCallback<long>((instrument, _, labels, _) => Keep(instrument, labels));
            _listener.SetMeasurementEventCallback<double>((instrument, _, labels, _) => Keep(instrument, labels));
            _listener.Start();
        }

        public IReadOnlyCollection<string> Texts => [.. _texts.Keys];

        public void Dispose() => _listener.Dispose();

        private void Keep(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> labels) =>
            _texts[$"{instrument.Name} {string.Join(' ', labels.ToArray().Select(label => $"{label.Key}={label.Value}"))}"] = true;
    }
}
