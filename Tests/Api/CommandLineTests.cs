using System.Diagnostics;
using Darkroom.Access;
using Darkroom.Api;
using Darkroom.AppHost.Processes;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Api;

/// <summary>The API's command line, in a process with no settings but those given.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Creating_a_key_needs_only_the_database_and_prints_only_the_key()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();

        var (code, output, error) = await RunAsync(new() { ["ConnectionStrings__darkroom"] = database.ConnectionString }, "keys", "create", "--owner", "acme");

        Assert.True(code == 0, error);
        Assert.NotNull(ApiKeyText.Prefix(output.TrimEnd()));
        Assert.Contains("whsec_", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_lines_of_a_command_go_to_standard_error()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        var settings = new Dictionary<string, string> { ["ConnectionStrings__darkroom"] = database.ConnectionString, ["Logging__LogLevel__Default"] = "Debug" };

        var (_, output, error) = await RunAsync(settings, "keys", "create", "--owner", "acme");

        Assert.NotNull(ApiKeyText.Prefix(output.TrimEnd()));
        Assert.Contains("created for owner acme", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("keys --help")]
    public async Task Help_is_printed_without_any_setting(string line)
    {
        var (code, output, error) = await RunAsync([], line.Split(' '));

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("keys create --owner NAME", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(Dictionary<string, string> settings, params string[] args)
    {
        var start = new ProcessStartInfo(DotnetHost.Path, [typeof(ApiApp).Assembly.Location, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var watchdog = ChildWatchdog.Start(process.Id);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return (process.ExitCode, await output, await error);
    }
}
