using System.ComponentModel.DataAnnotations;
using Darkroom.Api;
using Darkroom.Configuration;
using Darkroom.Images;
using Darkroom.Leases;
using Darkroom.Queue;
using Darkroom.Retention;
using Darkroom.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Configuration;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("00:00:02", 2)]
    [InlineData("00:00:00.25", 0.25)]
    [InlineData("00:01:00", 60)]
    public void A_duration_is_written_in_hours_minutes_and_seconds(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Read<QueueOptions>("Queue", ("Queue:Idle", text)).Idle);

    [Fact]
    public void Days_stand_before_a_point_and_blank_leaves_unset_what_has_no_default()
    {
        Assert.Equal(TimeSpan.FromDays(30), Read<RetentionOptions>("Retention", ("Retention:JournalAge", "30.00:00:00")).JournalAge);
        Assert.Null(Read<RetentionOptions>("Retention", ("Retention:JournalAge", "")).JournalAge);
    }

    [Theory]
    [InlineData("30")]
    [InlineData("5 s")]
    [InlineData("00:30")]
    [InlineData("24:00:00")]
    [InlineData("00:00:60")]
    [InlineData("-00:00:05")]
    [InlineData("")]
    public void A_duration_that_could_be_misread_is_refused(string text) =>
        Assert.Equal(
            $"Queue:Idle is '{text}'. A duration is written [d.]hh:mm:ss, for example 00:00:05.",
            Refusal<QueueOptions>("Queue", ("Queue:Idle", text)));

    [Fact]
    public void A_duration_out_of_range_is_refused_with_its_range() =>
        Assert.Contains("The field Idle must be between 00:00:00.1000000 and 00:10:00.", Refusal<QueueOptions>("Queue", ("Queue:Idle", "01:00:00")), StringComparison.Ordinal);

    [Fact]
    public void Settings_of_a_section_within_a_section_are_checked_too()
    {
        Assert.Equal(0.2, Read<ImageOptions>("Images", ("Images:Jpeg:DeadZone", "0.2")).Jpeg.DeadZone);
        Assert.Contains(
            "The field DeadZone must be between 0 and 0.5.", Refusal<ImageOptions>("Images", ("Images:Jpeg:DeadZone", "0.6")), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_duration_has_a_range()
    {
        var durations = new[] { typeof(QueueOptions).Assembly, typeof(ApiApp).Assembly, typeof(WorkerApp).Assembly }
            .SelectMany(assembly => assembly.GetTypes()).Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties()).Where(property => property.CanWrite && Durations.IsDuration(property)).ToList();

        Assert.NotEmpty(durations);
        Assert.All(durations, duration => Assert.True(
            duration.IsDefined(typeof(RangeAttribute), inherit: false), $"{duration.DeclaringType!.Name}.{duration.Name} has no range."));
    }

    [Fact]
    public void An_old_name_is_refused_with_the_new_one()
    {
        Assert.Equal(
            "Queue:FeedMilliseconds is now Queue:Feed, written [d.]hh:mm:ss, for example 00:00:00.25.; " +
            "Queue:IdleSeconds is now Queue:Idle, written [d.]hh:mm:ss, for example 00:00:05.",
            Refusal<QueueOptions>("Queue", ("Queue:FeedMilliseconds", "100"), ("queue:idleseconds", "5"), ("Queue:Idle", "00:00:05")));
    }

    [Fact]
    public void An_old_name_is_refused_in_the_environment_too()
    {
#pragma warning disable RS0030 // Read back by .NET in this process, by nothing native.
        Environment.SetEnvironmentVariable("SETTINGS_TEST_Queue__IdleSeconds", "5");
#pragma warning restore RS0030

        var refusal = Refusal<QueueOptions>("Queue", new ConfigurationBuilder().AddEnvironmentVariables("SETTINGS_TEST_").Build());

        Assert.StartsWith("Queue:IdleSeconds is now Queue:Idle,", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_old_name_is_refused_by_a_service() =>
        Assert.All(RenamedSettings.All.GroupBy(setting => setting.Section), renamed =>
        {
            string[] arguments =
            [
                "--ConnectionStrings:s3=Endpoint=http://localhost;Bucket=b;AccessKey=a;SecretKey=s", "--Links:BaseUrl=http://localhost",
                .. renamed.Select(setting => $"--{setting.Section}:{setting.Old}=1"),
            ];

            var refusals = Refusal(() => ApiApp.Build(arguments)) + Refusal(() => WorkerApp.Build(arguments));

            Assert.All(renamed, setting => Assert.Contains(
                $"{setting.Section}:{setting.Old} is now {setting.Section}:{setting.New}", refusals, StringComparison.Ordinal));
        });

    [Fact]
    public void An_old_name_of_a_duration_says_how_to_write_it() =>
        Assert.Contains(
            "Lease:DurationSeconds is now Lease:Duration, written [d.]hh:mm:ss",
            Refusal<ProcessLeaseOptions>("Lease", ("Lease:DurationSeconds", "30")),
            StringComparison.Ordinal);

    private static string? Refusal(Func<IHost> build) =>
        Record.Exception(() =>
        {
            using var service = build();
            service.Services.GetRequiredService<IStartupValidator>().Validate();
        })?.Message;

    private static string Refusal<TOptions>(string section, params (string Name, string Value)[] settings)
        where TOptions : class
        => Refusal<TOptions>(section, Configuration(settings));

    private static string Refusal<TOptions>(string section, IConfiguration configuration)
        where TOptions : class
        => Assert.Throws<OptionsValidationException>(() => Read<TOptions>(section, configuration)).Message;

    private static TOptions Read<TOptions>(string section, params (string Name, string Value)[] settings)
        where TOptions : class
        => Read<TOptions>(section, Configuration(settings));

    private static TOptions Read<TOptions>(string section, IConfiguration configuration)
        where TOptions : class
    {
        using var services = new ServiceCollection().AddSingleton(configuration).AddSettings<TOptions>(section).BuildServiceProvider();
        return services.GetRequiredService<IOptions<TOptions>>().Value;
    }

    private static IConfiguration Configuration((string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
}
