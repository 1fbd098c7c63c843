using Darkroom.Csv;
using Darkroom.Data;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Requests;

/// <summary>
/// Writes a request's products and images with COPY, in the caller's transaction. The large requests that this process loads take turns: several at
/// once would end no sooner, but keep Postgres from everything else.
/// </summary>
internal sealed class ProductLoader : IDisposable
{
    // A connection runs one COPY at a time, and images go to a different table than products. Batches keep memory constant, and turns short.
    private const int BatchSize = 2_000;

    private readonly SemaphoreSlim _turn = new(1, 1);

    public async Task LoadAsync(
        NpgsqlConnection connection, RequestId request, IAsyncEnumerable<ProductRow> products, CancellationToken cancellationToken)
    {
        await connection.Sql(
                """
                delete from images where request_id = @request;

                delete from products where request_id = @request
                """)
            .With("request", request.Value)
            .ExecuteNonQueryAsync(cancellationToken);
        var batch = new List<ProductRow>(BatchSize);
        await foreach (var product in products.WithCancellation(cancellationToken))
        {
            batch.Add(product);
            if (batch.Count < BatchSize)
                continue;
            await CopyInTurnAsync(connection, request, batch, cancellationToken);
            batch.Clear();
        }

        // A small request's only batch waits for nobody.
        await CopyAsync(connection, request, batch, cancellationToken);
    }

    public void Dispose() => _turn.Dispose();

    private async Task CopyInTurnAsync(
        NpgsqlConnection connection, RequestId request, List<ProductRow> products, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await CopyAsync(connection, request, products, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static async Task CopyAsync(
        NpgsqlConnection connection, RequestId request, List<ProductRow> products, CancellationToken cancellationToken)
    {
        await using (var copy = await connection.BeginBinaryImportAsync(
            "copy products (request_id, row, serial, name) from stdin (format binary)", cancellationToken))
        {
            foreach (var product in products)
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(request.Value, NpgsqlDbType.Uuid, cancellationToken);
                await copy.WriteAsync(product.Row, NpgsqlDbType.Integer, cancellationToken);
                await copy.WriteAsync(product.Serial, NpgsqlDbType.Text, cancellationToken);
                await copy.WriteAsync(product.Name, NpgsqlDbType.Text, cancellationToken);
            }

            await copy.CompleteAsync(cancellationToken);
        }

        await using (var copy = await connection.BeginBinaryImportAsync(
            "copy images (request_id, row, position, url) from stdin (format binary)", cancellationToken))
        {
            foreach (var product in products)
            {
                for (var i = 0; i < product.Urls.Count; i++)
                {
                    await copy.StartRowAsync(cancellationToken);
                    await copy.WriteAsync(request.Value, NpgsqlDbType.Uuid, cancellationToken);
                    await copy.WriteAsync(product.Row, NpgsqlDbType.Integer, cancellationToken);
                    await copy.WriteAsync(i + 1, NpgsqlDbType.Integer, cancellationToken);
                    await copy.WriteAsync(product.Urls[i], NpgsqlDbType.Text, cancellationToken);
                }
            }

            await copy.CompleteAsync(cancellationToken);
        }
    }
}
