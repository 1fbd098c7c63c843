using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Darkroom.Tests.Storage;

public sealed class StorageExtensionsTests
{
    [Fact]
    public async Task A_host_gets_its_store_from_the_connection_string_and_checks_its_health()
    {
        await using var s3 = await TestS3.StartAsync();
        using var host = Build(s3.ConnectionString);
        var health = host.Services.GetRequiredService<HealthCheckService>();

        await host.Services.GetRequiredService<ObjectStore>().PutAsync("k", new byte[3], "image/png", default);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);

        s3.BeforeRequest = context => TestS3.RefuseAsync(context, 403, "AccessDenied");
        var report = await health.CheckHealthAsync();
        Assert.Equal((HealthStatus.Unhealthy, "storage_denied"), (report.Status, report.Entries["s3"].Description));
    }

    [Fact]
    public void A_host_without_the_connection_string_reports_what_is_missing() =>
        Assert.Contains("ConnectionStrings__s3", Assert.Throws<FormatException>(() => Build(null)).Message, StringComparison.Ordinal);

    private static IHost Build(string? connectionString)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:s3"] = connectionString });
        builder.AddObjectStore();
        return builder.Build();
    }
}
