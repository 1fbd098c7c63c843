using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Requests;

public sealed class ProductLoaderTests
{
    private const int Rows = 5_000;

    [Fact]
    public async Task A_large_request_whose_file_arrives_slowly_holds_up_no_other()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var loader = new ProductLoader();
        var arrives = new TaskCompletionSource();
        var waits = new TaskCompletionSource();
        var slow = LoadAsync(database, loader, SlowAsync());
        await waits.Task;

        await LoadAsync(database, loader, RowsAsync());
        Assert.False(slow.IsCompleted);
        arrives.SetResult();
        await slow;

        Assert.Equal(2L * Rows, await database.DataSource.Sql("select count(*) from images").ExecuteScalarAsync());

        async IAsyncEnumerable<ProductRow> SlowAsync()
        {
            await foreach (var row in RowsAsync())
            {
                yield return row;
                if (row.Row != Rows / 2)
                    continue;
                waits.SetResult();
                await arrives.Task;
            }
        }
    }

    private static async Task LoadAsync(TestDatabase database, ProductLoader loader, IAsyncEnumerable<ProductRow> rows)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await loader.LoadAsync(connection, new RequestId(Guid.NewGuid()), rows, default);
        await transaction.CommitAsync();
    }

    private static async IAsyncEnumerable<ProductRow> RowsAsync()
    {
        await Task.CompletedTask;
        for (var row = 1; row <= Rows; row++)
            yield return new ProductRow(row, row + 1, $"{row}", "Lamp", ["https://images.test/lamp.jpg"]);
    }
}
