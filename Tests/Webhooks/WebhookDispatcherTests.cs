using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Tests.Infrastructure;
using Darkroom.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Webhooks;

public sealed class WebhookDispatcherTests : IAsyncLifetime
{
    private WebhookScenario _scenario = null!;
    private WebhookReceiver _receiver = null!;

    public async Task InitializeAsync()
    {
        _scenario = await WebhookScenario.CreateAsync();
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _scenario.DisposeAsync();
    }

    [Fact]
    public async Task The_end_of_a_run_is_reported_at_once_and_signed()
    {
        await _scenario.StartWorkerAsync(("Webhooks:Poll", "00:05:00"));
        var request = await _scenario.EndRunAsync(_receiver.Url);

        var webhook = await _receiver.NextAsync();

        Assert.Equal(("POST", "/hook", "application/json"), (webhook.Method, webhook.Path, webhook.ContentType));
        Assert.True(webhook.IsSignedWith(_scenario.Secret));
        var delivery = await _scenario.DeliveryAsync(request, d => d.State == "delivered", "the webhook is recorded as delivered");
        Assert.Equal(webhook.Id, delivery.Id);
        var attempt = Assert.Single(delivery.Attempts);
        Assert.Equal((1, 204, null), (attempt.Attempt, attempt.Status, attempt.Error));
    }

    [Fact]
    public async Task During_a_rotation_both_secrets_sign()
    {
        var rotated = await _scenario.Secrets.RotateAsync(_scenario.Owner, default);
        await _scenario.StartWorkerAsync();
        await _scenario.EndRunAsync(_receiver.Url);

        var webhook = await _receiver.NextAsync();

        Assert.True(webhook.IsSignedWith(_scenario.Secret));
        Assert.True(webhook.IsSignedWith(rotated.Secret));
        Assert.NotNull(rotated.PreviousExpiresAt);
    }

    [Fact]
    public async Task A_delivery_is_tried_ten_times_on_schedule_under_one_id_and_then_given_up()
    {
        _receiver.AnswerStatus(500);
        var request = await _scenario.EndRunAsync(_receiver.Url);
        await _scenario.StartWorkerAsync();
        double[] seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

        for (var attempt = 1; attempt < WebhookSchedule.MaxAttempts; attempt++)
        {
            await _receiver.NextAsync();
            var delivery = await _scenario.DeliveryAsync(request, d => d.Attempts.Count == attempt, $"attempt {attempt} is recorded");
            // The first retry comes so soon that it may already be due.
            var wait = (delivery.NextAttemptAt!.Value - delivery.Attempts[^1].StartedAt).TotalSeconds;
            Assert.InRange(wait, seconds[attempt - 1] * 0.9, seconds[attempt - 1] * 1.1 + 20);
            await _scenario.SkipWaitAsync();
        }

        await _receiver.NextAsync();
        var given = await _scenario.DeliveryAsync(request, d => d.State == "failed", "the webhook is given up");
        Assert.Equal(WebhookSchedule.MaxAttempts, given.Attempts.Count);
        Assert.Equal((500, "http_500"), (given.LastStatus, given.LastError));
        Assert.Null(given.NextAttemptAt);
        Assert.Single(_receiver.All.Select(webhook => webhook.Id).Distinct());
        Assert.All(_receiver.All, webhook => Assert.True(webhook.IsSignedWith(_scenario.Secret)));
    }

    [Fact]
    public async Task The_retry_after_five_seconds_comes_by_itself()
    {
        _receiver.AnswerStatus(503);
        await _scenario.StartWorkerAsync(("Webhooks:Poll", "00:05:00"));
        await _scenario.EndRunAsync(_receiver.Url);
        await _receiver.NextAsync();
        _receiver.AnswerStatus(200);
        var clock = Stopwatch.StartNew();

        // Due in 5 s although the next poll is far off; a busy machine may take longer.
        await _receiver.NextAsync();

        Assert.InRange(clock.Elapsed.TotalSeconds, 4, 60);
    }

    [Fact]
    public async Task Retry_after_is_honoured()
    {
        _receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = "3600";
            return Task.CompletedTask;
        };
        var request = await _scenario.EndRunAsync(_receiver.Url);
        await _scenario.StartWorkerAsync();

        var delivery = await _scenario.DeliveryAsync(request, d => d.Attempts.Count == 1, "the attempt is recorded");

        Assert.InRange((delivery.NextAttemptAt!.Value - delivery.Attempts[0].StartedAt).TotalSeconds, 3_590, 3_700);
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_is_not_followed()
    {
        await using var other = await WebhookReceiver.StartAsync();
        _receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            context.Response.Headers.Location = other.Url;
            return Task.CompletedTask;
        };
        var request = await _scenario.EndRunAsync(_receiver.Url);
        await _scenario.StartWorkerAsync();

        var delivery = await _scenario.DeliveryAsync(request, d => d.Attempts.Count == 1, "the attempt is recorded");

        Assert.Equal(("pending", 307, "redirected"), (delivery.State, delivery.LastStatus, delivery.LastError));
        Assert.Empty(other.All);
    }

    [Fact]
    public async Task A_receiver_that_responds_410_gets_nothing_more_until_it_is_enabled()
    {
        _receiver.AnswerStatus(410);
        await _scenario.StartWorkerAsync();
        var first = await _scenario.EndRunAsync(_receiver.Url);
        var disabled = await _scenario.DeliveryAsync(first, d => d.State == "disabled", "the endpoint is disabled");
        _receiver.AnswerStatus(200);

        var second = await _scenario.EndRunAsync(_receiver.Url);
        Assert.Equal("disabled", (await _scenario.DeliveryAsync(second)).State);
        Assert.Equal(WebhookReplay.EndpointDisabled, await _scenario.Log.ReplayAsync(_scenario.Owner, disabled.Id, default));
        Assert.Equal(2, await _scenario.Log.EnableAsync(_scenario.Owner, _receiver.Url, default));
        var third = await _scenario.EndRunAsync(_receiver.Url);
        await _scenario.DeliveryAsync(third, d => d.State == "delivered", "later webhooks go out again");
        Assert.Equal(WebhookReplay.Accepted, await _scenario.Log.ReplayAsync(_scenario.Owner, disabled.Id, default));
        await _scenario.DeliveryAsync(first, d => d.State == "delivered", "what was held back can be replayed");

        Assert.Equal(3, _receiver.All.Count);
        Assert.Null(await _scenario.Log.EnableAsync(_scenario.Owner, _receiver.Url, default));
    }

    [Fact]
    public async Task A_replay_carries_the_same_id_and_body_and_starts_the_schedule_over()
    {
        await _scenario.StartWorkerAsync();
        var request = await _scenario.EndRunAsync(_receiver.Url);
        var first = await _receiver.NextAsync();
        await _scenario.DeliveryAsync(request, d => d.State == "delivered", "the webhook is delivered");
        _receiver.AnswerStatus(500);

        Assert.Equal(WebhookReplay.Accepted, await _scenario.Log.ReplayAsync(_scenario.Owner, first.Id, default));

        var second = await _receiver.NextAsync();
        Assert.Equal(first.Id, second.Id);
        Assert.Equal(first.Body, second.Body);
        Assert.True(second.IsSignedWith(_scenario.Secret));
        var delivery = await _scenario.DeliveryAsync(request, d => d.Attempts.Count == 2, "the second attempt is recorded");
        Assert.InRange((delivery.NextAttemptAt!.Value - delivery.Attempts[1].StartedAt).TotalSeconds, 4.5, 30);
    }

    [Fact]
    public async Task Another_owners_webhook_is_unknown()
    {
        var request = await _scenario.EndRunAsync(_receiver.Url);
        var delivery = await _scenario.DeliveryAsync(request);
        var (other, _) = await TestSecrets.Owners(_scenario.Database).FindOrCreateAsync("other", default);

        Assert.Empty(await _scenario.Log.ListAsync(other, request, default));
        Assert.Null(await _scenario.Log.FindAsync(other, delivery.Id, default));
        Assert.Equal(WebhookReplay.Unknown, await _scenario.Log.ReplayAsync(other, delivery.Id, default));
    }

    [Fact]
    public async Task Only_the_start_of_a_huge_response_is_kept_and_a_stalled_body_does_not_fail_the_delivery()
    {
        _receiver.Answer = async context =>
        {
            // An endless response: reading it to the end would run into the attempt's timeout.
            var block = Enumerable.Repeat((byte)'x', 4096).ToArray();
            block[3] = 0;
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(block, context.RequestAborted);
        };
        await _scenario.StartWorkerAsync(("Webhooks:Timeout", "00:01:00"));
        var request = await _scenario.EndRunAsync(_receiver.Url);

        var delivery = await _scenario.DeliveryAsync(request, d => d.State == "delivered", "the webhook is delivered");

        Assert.Equal(WebhookSender.MaxKept, delivery.Attempts[0].Response!.Length);
        Assert.StartsWith("xxx x", delivery.Attempts[0].Response, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://10.0.0.1/", "forbidden_address")]
    [InlineData("http://169.254.169.254/latest/meta-data/", "forbidden_address")]
    [InlineData("http://[::ffff:192.168.1.1]/", "forbidden_address")]
    [InlineData("http://127.0.0.1:9/", "forbidden_address")]
    [InlineData("http://localhost/", "forbidden_address")]
    [InlineData("http://2130706433/", "forbidden_address")]
    [InlineData("http://rebound.loopback.test/", "forbidden_address")]
    [InlineData("https://93.184.215.14:22/", "forbidden_port")]
    public async Task An_internal_address_is_never_called_and_the_log_reveals_nothing_else(string url, string error)
    {
        var request = await _scenario.EndRunAsync(url);
        await _scenario.StartWorkerAsync(("Egress:AllowLoopback", "false"));

        var delivery = await _scenario.DeliveryAsync(request, d => d.Attempts.Count == 1, "the attempt is recorded");

        Assert.Equal((error, null, null), (delivery.LastError, delivery.LastStatus, delivery.Attempts[0].Response));
    }

    [Fact]
    public async Task Network_errors_have_our_own_codes()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var closedPort = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        await _scenario.StartWorkerAsync(("Webhooks:Timeout", "00:00:01"), ("Webhooks:ConnectTimeout", "00:00:01"));

        var timeout = await _scenario.EndRunAsync($"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/");
        var refused = await _scenario.EndRunAsync($"http://127.0.0.1:{closedPort}/");
        var unknown = await _scenario.EndRunAsync("http://no-such-name.test/");

        Assert.Equal("timeout", (await _scenario.DeliveryAsync(timeout, d => d.LastError is not null, "the time-out is recorded")).LastError);
        Assert.Equal("connect_failed", (await _scenario.DeliveryAsync(refused, d => d.LastError is not null, "the refusal is recorded")).LastError);
        Assert.Equal("dns_failed", (await _scenario.DeliveryAsync(unknown, d => d.LastError is not null, "the unknown name is recorded")).LastError);
    }

    [Fact]
    public async Task A_dead_receiver_with_a_backlog_does_not_block_others()
    {
        await using var dead = await WebhookReceiver.StartAsync();
        dead.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        for (var i = 0; i < 12; i++)
            await _scenario.EndRunAsync($"{dead.Url}/{i}");
        // Fewer slots than the backlog: without per-receiver limits it would take them all.
        await _scenario.StartWorkerAsync(("Webhooks:MaxConcurrent", "8"), ("Webhooks:MaxConcurrentPerOwner", "8"), ("Webhooks:Timeout", "00:01:00"));
        for (var i = 0; i < 4; i++)
            await dead.NextAsync();

        var request = await _scenario.EndRunAsync(_receiver.Url);
        await _receiver.NextAsync();

        Assert.Equal(4, dead.All.Count);
        var delivery = await _scenario.DeliveryAsync(request, d => d.State == "delivered", "the other is delivered");
        Assert.InRange((delivery.Attempts[0].StartedAt - delivery.CreatedAt).TotalSeconds, -1, 5);
    }

    [Fact]
    public async Task An_owner_with_many_dead_receivers_does_not_block_other_owners()
    {
        await using var dead = await WebhookReceiver.StartAsync();
        dead.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        var port = new Uri(dead.Url).Port;
        for (var i = 0; i < 12; i++)
            await _scenario.EndRunAsync($"http://h{i}.loopback.test:{port}/");
        await _scenario.StartWorkerAsync(("Webhooks:MaxConcurrent", "8"), ("Webhooks:MaxConcurrentPerOwner", "6"), ("Webhooks:Timeout", "00:01:00"));
        for (var i = 0; i < 6; i++)
            await dead.NextAsync();
        var (other, _) = await TestSecrets.Owners(_scenario.Database).FindOrCreateAsync("other", default);

        await _scenario.EndRunAsync(_receiver.Url, owner: other);

        await _receiver.NextAsync();
        Assert.Equal(6, dead.All.Count);
    }

    [Fact]
    public async Task What_a_dead_process_was_sending_is_sent_by_another_and_the_dead_one_records_nothing()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _receiver.Answer = async context =>
        {
            await release.Task;
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        };
        var late = await _scenario.StartWorkerAsync(("Webhooks:Timeout", "00:01:00"), ("Webhooks:Drain", "00:00:30"));
        var request = await _scenario.EndRunAsync(_receiver.Url);
        var first = await _receiver.NextAsync();

        // Other processes consider it dead once its heartbeat is old, even if it is still running.
        await _scenario.ExecuteAsync("update processes set heartbeat_at = now() - interval '1 hour'");
        _receiver.AnswerStatus(204);
        await _scenario.StartWorkerAsync(("Lease:Duration", "00:00:03"), ("Lease:Heartbeat", "00:00:00.5"));
        var second = await _receiver.NextAsync();
        await _scenario.DeliveryAsync(request, d => d.State == "delivered", "the other process delivers it");
        release.SetResult();
        // It stops only after it has handled the response it was waiting for.
        await late.StopAsync();

        Assert.Equal(first.Id, second.Id);
        var delivery = await _scenario.DeliveryAsync(request);
        Assert.Equal(("delivered", 204), (delivery.State, delivery.LastStatus));
        Assert.Single(delivery.Attempts);
    }

    [Fact]
    public async Task A_delivery_stays_with_a_sender_whose_lease_may_be_stale_only_because_nobody_could_reach_the_database()
    {
        var (silent, living) = (Guid.NewGuid(), Guid.NewGuid());
        await _scenario.ExecuteAsync(
            $"""
            insert into processes (id, kind, host, pid, heartbeat_at)
            values ('{silent}', 'worker', 'h', 1, now() - interval '10 years'), ('{living}', 'worker', 'h', 2, now() + interval '1 hour')
            """);
        await _scenario.EndRunAsync(_receiver.Url);
        var lease = new ProcessLeaseOptions { Duration = TimeSpan.FromMinutes(10) };
        var claims = new WebhookClaims(_scenario.Database, TimeProvider.System, Options.Create(new WebhookOptions()), Options.Create(lease));
        var room = new DispatchCapacity(1, new Dictionary<string, int>(), new Dictionary<OwnerId, int>());
        Assert.Single(await claims.ClaimAsync(silent, room, default));
        Assert.Equal(0, await claims.FreeAbandonedAsync(living, [], default));

        await _scenario.ExecuteAsync($"update processes set beating_since = now() - interval '1 hour' where id = '{living}'");
        Assert.Equal(1, await claims.FreeAbandonedAsync(living, [], default));
    }

    [Fact]
    public async Task A_worker_that_stops_hands_back_what_it_is_sending()
    {
        _receiver.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        var worker = await _scenario.StartWorkerAsync(("Webhooks:Timeout", "00:01:00"), ("Webhooks:Drain", "00:00:01"));
        var request = await _scenario.EndRunAsync(_receiver.Url);
        await _receiver.NextAsync();

        await worker.StopAsync();

        Assert.Equal(0L, await _scenario.Database.Sql("select count(*) from webhook_deliveries where owner is not null").ExecuteScalarAsync());
        Assert.Equal(0L, await _scenario.Database.Sql("select count(*) from processes").ExecuteScalarAsync());
        _receiver.AnswerStatus(204);
        await _scenario.StartWorkerAsync();
        await _scenario.DeliveryAsync(request, d => d.State == "delivered", "the next worker delivers it");
    }

    [Fact]
    public async Task Many_webhooks_and_two_workers_deliver_each_exactly_once()
    {
        for (var i = 0; i < 60; i++)
            await _scenario.EndRunAsync($"{_receiver.Url}/{i}");

        await Task.WhenAll(_scenario.StartWorkerAsync(), _scenario.StartWorkerAsync());
        for (var i = 0; i < 60; i++)
            await _receiver.NextAsync();
        await Eventually.GetAsync(
            async () => (long)(await _scenario.Database.Sql("select count(*) from webhook_deliveries where state = 'delivered'").ExecuteScalarAsync())!,
            delivered => delivered == 60,
            "all are delivered");

        Assert.Equal(60, _receiver.All.Count);
        Assert.Equal(60, _receiver.All.Select(webhook => webhook.Id).Distinct().Count());
    }
}
