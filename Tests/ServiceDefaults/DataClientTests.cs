using Darkroom.AppHost.Hosting;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using StackExchange.Redis;

namespace Darkroom.Tests.ServiceDefaults;

public sealed class DataClientTests
{
    private readonly HostApplicationBuilder _builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());

    [Fact]
    public void Missing_connection_string_is_named_when_it_is_first_needed()
    {
        _builder.AddNpgsqlDataSource("darkroom");
        using var host = _builder.Build();

        var missing = Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<NpgsqlDataSource>());

        Assert.Contains("ConnectionStrings:darkroom", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Connection_string_overrides_the_settings_section_and_code_overrides_both()
    {
        _builder.Configuration["Aspire:Npgsql:ConnectionString"] = "Host=of-section";
        _builder.Configuration["ConnectionStrings:darkroom"] = "Host=of-connection-strings";
        var read = "";
        _builder.AddNpgsqlDataSource("darkroom", settings =>
        {
            read = settings.ConnectionString;
            settings.ConnectionString = "Host=of-code";
        });
        using var host = _builder.Build();

        Assert.Equal("Host=of-connection-strings", read);
        Assert.Equal("Host=of-code", host.Services.GetRequiredService<NpgsqlDataSource>().ConnectionString);
    }

    [Fact]
    public async Task Redis_client_may_read_the_eviction_policy()
    {
        await using var redis = await TestRedis.StartAsync();
        _builder.Configuration["ConnectionStrings:redis"] = redis.ConnectionString;
        _builder.AddQuietRedisClient("redis");
        using var host = _builder.Build();
        var database = host.Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();

        var info = await database.ExecuteAsync("INFO", "memory");

        Assert.False(info.IsNull);
    }

    [Fact]
    public async Task Health_names_the_store_that_does_not_respond()
    {
        _builder.Configuration["ConnectionStrings:darkroom"] = await TestPostgres.ConnectionStringAsync();
        _builder.Configuration["ConnectionStrings:redis"] = $"127.0.0.1:{FreePort.Find()},connectTimeout=200";
        _builder.AddNpgsqlDataSource("darkroom");
        _builder.AddRedisClient("redis");
        using var host = _builder.Build();

        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(HealthStatus.Healthy, report.Entries["PostgreSql"].Status);
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["StackExchange.Redis"].Status);
    }
}
