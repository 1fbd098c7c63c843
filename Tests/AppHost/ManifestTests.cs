using System.Text.Json;
using Darkroom.AppHost.Hosting;

namespace Darkroom.Tests.AppHost;

/// <summary>The manifest for a deployment contains nothing of the machine that wrote it.</summary>
public sealed class ManifestTests
{
    [Fact]
    public async Task Manifest_has_containers_and_parameters_and_nothing_from_development()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "manifest.json");
        // As on a developer's machine, whose data folder contains secrets that must not leak.
        var data = Directory.CreateDirectory(Path.Combine(folder.Path, "data")).FullName;
        var secrets = Secrets.ReadOrCreate(Path.Combine(data, "secrets.json"));
        await using (var host = AppHostProcess.Start(data, null, "--publisher", "manifest", "--output-path", file))
            Assert.True(await host.ExitCodeAsync() == 0, host.Output);

        var text = await File.ReadAllTextAsync(file);
        var resources = JsonDocument.Parse(text).RootElement.GetProperty("resources");

        Assert.StartsWith("container.", Type("postgres"), StringComparison.Ordinal);
        Assert.StartsWith("container.", Type("redis"), StringComparison.Ordinal);
        Assert.Equal("parameter.v0", Type("s3"));
        Assert.Equal("{s3.connectionString}", Environment("worker", "ConnectionStrings__s3"));
        Assert.Equal("{darkroom.connectionString}", Environment("api", "ConnectionStrings__darkroom"));
        Assert.Equal("{redis.connectionString}", Environment("api", "ConnectionStrings__redis"));
        Assert.Equal("{redis.connectionString}", Environment("worker", "ConnectionStrings__redis"));
        Assert.Equal("{public-url.value}", Environment("api", "Links__BaseUrl"));
        Assert.Equal("{public-url.value}", Environment("worker", "Links__BaseUrl"));
        Assert.Equal("{secrets-key.value}", Environment("api", "Secrets__Key"));
        Assert.Equal("{secrets-key.value}", Environment("worker", "Secrets__Key"));
        Assert.True(resources.GetProperty("api").GetProperty("bindings").GetProperty("http").GetProperty("external").GetBoolean());
        // The API trusts only the proxies in its own setting.
        Assert.DoesNotContain("ASPNETCORE_FORWARDEDHEADERS_ENABLED", resources.GetProperty("api").ToString(), StringComparison.Ordinal);
        Assert.False(resources.TryGetProperty("samples", out _));
        foreach (var secret in new[] { secrets.DevelopmentKey, secrets.PostgresPassword, secrets.EncryptionKey, secrets.S3SecretKey, secrets.DashboardToken, data })
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        foreach (var word in new[] { "DevelopmentKey", "AllowLoopback", "\"Development\"", "localhost", "127.0.0.1" })
            Assert.DoesNotContain(word, text, StringComparison.OrdinalIgnoreCase);

        string Type(string name) => resources.GetProperty(name).GetProperty("type").GetString()!;
        string Environment(string service, string name) => resources.GetProperty(service).GetProperty("env").GetProperty(name).GetString()!;
    }
}
