using System.Text.Json;
using Darkroom.Schema;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Promises 1 and 2: whatever dies, each row ends once, each object is there, and the webhook has one id.</summary>
public sealed class CrashTests
{
    private const int Images = 300;

    [Fact]
    public async Task Three_hundred_images_survive_two_kills_of_their_worker()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var first = system.StartWorker();
        var id = await UploadAsync(system);

        await system.WaitForImagesAsync(id, Images / 6);
        await first.KillAsync();
        var second = system.StartWorker();
        await system.WaitForImagesAsync(id, Images / 2);
        await second.KillAsync();
        system.StartWorker();

        await CheckAsync(system, id);
    }

    [Fact]
    public async Task Redis_may_forget_everything_at_any_moment()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 2);
        var id = await UploadAsync(system);
        for (var done = Images / 6; done < Images; done += Images / 3)
        {
            await system.WaitForImagesAsync(id, done);
            await system.Redis.FlushAsync();
        }

        await CheckAsync(system, id);
    }

    [Fact]
    public async Task Every_connection_to_Postgres_may_break_at_any_moment()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 2);
        var id = await UploadAsync(system);
        for (var done = Images / 6; done < Images; done += Images / 4)
        {
            await system.WaitForImagesAsync(id, done);
            await system.Database.DataSource.Sql(
                    """
                    select pg_terminate_backend(pid)
                    from pg_stat_activity
                    where datname = current_database()
                      and pid <> pg_backend_pid()
                    """)
                .ExecuteNonQueryAsync();
        }

        await CheckAsync(system, id);
    }

    [Fact]
    public async Task S3_may_stop_and_start_again()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 1);
        var id = await UploadAsync(system);
        await system.WaitForImagesAsync(id, Images / 4);
        await system.S3.RestartAsync();
        await CheckAsync(system, id);
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_stop_hands_back_what_it_has_and_fails_nothing()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var stopped = system.StartWorker();
        var id = await UploadAsync(system);
        await system.WaitForImagesAsync(id, Images / 4);

        Assert.Equal(0, await stopped.StopAsync(TimeSpan.FromSeconds(30)));
        var held = await system.Database.DataSource.Sql("select count(*) from images where state = 'running'").ExecuteScalarAsync();
        Assert.Equal(0L, held);
        system.StartWorker();

        await CheckAsync(system, id);
    }

    private static async Task<string> UploadAsync(DarkroomSystem system)
    {
        var products = Enumerable.Range(0, Images / 3)
            .Select(i => (IReadOnlyList<string>)[system.Images.Good(3 * i), system.Images.Good((3 * i) + 1), system.Images.Good((3 * i) + 2)]);
        var accepted = await system.UploadAsync(Csv.Of([.. products]), system.Webhooks.Url);
        return accepted.GetProperty("id").GetString()!;
    }

    private static async Task CheckAsync(DarkroomSystem system, string id)
    {
        var end = await system.WaitForEndAsync(id, TimeSpan.FromSeconds(120));
        Assert.Equal("completed", end.GetProperty("status").GetString());
        Assert.Equal(Images, end.GetProperty("images").GetProperty("succeeded").GetInt32());

        var rows = Csv.ReadOutput(await system.OutputAsync(id));
        Assert.Equal(Enumerable.Range(1, Images / 3).Select(i => $"{i}."), rows.Select(row => row.Serial));
        var outputs = rows.SelectMany(row => row.Outputs).ToList();
        Assert.Equal(Images, outputs.Distinct().Count());
        using var anonymous = new HttpClient();
        foreach (var url in outputs)
        {
            using var image = await anonymous.GetAsync(url);
            Assert.True(image.IsSuccessStatusCode, $"{url}: {image.StatusCode}");
        }

        await CheckRecordedObjectsAsync(system, id);
        var delivery = await system.Webhooks.NextAsync();
        Assert.True(delivery.IsSignedWith(system.WebhookSecret));
        Assert.Equal("completed", JsonDocument.Parse(delivery.Body).RootElement.GetProperty("data").GetProperty("status").GetString());
        Assert.Single(system.Webhooks.All.Select(webhook => webhook.Id).Distinct());
    }

    /// <summary>What is recorded of an object is what the object is.</summary>
    private static async Task CheckRecordedObjectsAsync(DarkroomSystem system, string id)
    {
        var store = system.S3.CreateStore();
        await using var command = system.Database.DataSource.Sql(
                "select output_key, output_sha256, output_bytes from images where request_id = @id order by row, position")
            .With("id", Guid.Parse(id));
        await using var reader = await command.ExecuteReaderAsync();
        var images = 0;
        while (await reader.ReadAsync())
        {
            await using var content = await store.OpenReadAsync(reader.GetString(0), default);
            Assert.Equal(reader.GetFieldValue<byte[]>(1), await System.Security.Cryptography.SHA256.HashDataAsync(content));
            images++;
        }

        Assert.Equal(Images, images);
    }
}
