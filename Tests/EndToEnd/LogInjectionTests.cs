using System.Diagnostics;
using System.Net;
using System.Reflection;
using System.Text.Json;
using Darkroom.AppHost.Hosting;
using Darkroom.Tests.Api;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>What a service in production writes to its console while it is sent text that tries to forge log lines.</summary>
public sealed class LogInjectionTests
{
    private const string Escape = "\u001b";

    [Fact]
    public async Task Every_line_of_the_console_is_one_JSON_object_without_control_characters()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var s3 = await TestS3.StartAsync();
        var address = $"http://127.0.0.1:{FreePort.Find()}";
        var service = typeof(LogInjectionTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "ApiService").Value!;
        var start = new ProcessStartInfo("dotnet", [service])
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardOutput = true,
            Environment =
            {
                ["DOTNET_ENVIRONMENT"] = "Production",
                ["ConnectionStrings__darkroom"] = database.ConnectionString,
                ["ConnectionStrings__s3"] = s3.ConnectionString,
                ["Links__BaseUrl"] = address,
                ["ASPNETCORE_URLS"] = address,
                // Everything there is to log.
                ["Logging__LogLevel__Default"] = "Trace",
                ["Logging__LogLevel__Microsoft.AspNetCore"] = "Trace",
            },
        };
        using var process = Process.Start(start)!;
        using var watchdog = ChildWatchdog.Start(process.Id);
        var reading = process.StandardOutput.ReadToEndAsync();
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await http.GetAsync("/health")).StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });

        foreach (var text in new[] { $"x{Escape}[2J{Escape}[31mred", "x\n{\"LogLevel\":\"Critical\",\"Message\":\"forged\"}", "x\r\n2026-01-01 [INF] admin logged in", "${jndi:ldap://127.0.0.1/a}", "{@Password}%s%n", "\u2028x\u0085" })
        {
            var escaped = Uri.EscapeDataString(text);
            using var address1 = await http.GetAsync($"/v1/{escaped}?{escaped}={escaped}");
            using var link = await http.GetAsync($"/i/{escaped}/{escaped}");
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/requests");
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer dk_forged_" + text.ReplaceLineEndings("").Replace("\u0085", "", StringComparison.Ordinal).Replace("\u2028", "", StringComparison.Ordinal));
            using var bad = await http.SendAsync(request);
            using var upload = await http.PostAsync($"/v1/requests?workflow={escaped}", ApiClient.Form(("file", text), ("workflow", text)));
            using var studio = await http.GetAsync($"/studio/{escaped}");
        }

        using (var stop = Process.Start("kill", ["-TERM", $"{process.Id}"]))
            await stop.WaitForExitAsync();
        await process.WaitForExitAsync();
        var output = await reading;

        Assert.DoesNotContain(output, character => char.IsControl(character) && character is not '\n' and not '\r');
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(lines.Length, 50, 100_000);
        foreach (var line in lines)
        {
            using var record = JsonDocument.Parse(line);
            Assert.Equal(JsonValueKind.Object, record.RootElement.ValueKind);
            Assert.NotEqual("forged", record.RootElement.GetProperty("Message").GetString());
        }
    }
}
