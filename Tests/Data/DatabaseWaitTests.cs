using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.Data;

public sealed class DatabaseWaitTests
{
    public static TheoryData<Exception> Outages =>
    [
        new NpgsqlException("Exception while reading from stream", new TimeoutException()),
        new TimeoutException(),
        new CryptographicException("An error occurred while trying to encrypt the provided data.", new NpgsqlException("No connection")),
    ];

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task A_start_waits_for_the_database(Exception outage)
    {
        var (tries, reasons) = (0, new List<string>());

        using var time = new SteppedTime();

        var started = DatabaseWait.RunAsync(
            _ => ++tries < 3 ? Task.FromException(outage) : Task.CompletedTask, time, reasons.Add, default);
        for (var wait = 0; wait < 2; wait++)
            await time.StepAsync(TimeSpan.FromSeconds(1));
        await started;

        Assert.Equal(3, tries);
        Assert.Equal(2, reasons.Count);
    }

    [Fact]
    public async Task It_does_not_wait_for_ever()
    {
        using var time = new SteppedTime();
        var started = DatabaseWait.RunAsync(_ => Task.FromException(new TimeoutException()), time, _ => { }, default);
        await time.StepAsync(DatabaseWait.Timeout);
        await Assert.ThrowsAsync<TimeoutException>(() => started);
    }

    [Fact]
    public async Task It_does_not_wait_for_what_waiting_cannot_mend()
    {
        var tries = 0;
        await Assert.ThrowsAsync<CryptographicException>(() => DatabaseWait.RunAsync(
            _ =>
            {
                tries++;
                return Task.FromException(new CryptographicException("The key is another one."));
            },
            TimeProvider.System, _ => { }, default));
        Assert.Equal(1, tries);
    }
}
