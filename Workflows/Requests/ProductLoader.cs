using Darkroom.Csv;
using Darkroom.Data;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Requests;

/// <summary>
/// Writes a request's products and images in the caller's transaction, in place of those of an earlier attempt. The large requests that this
/// process loads take turns: several at once would end no sooner, but keep Postgres from everything else.
/// </summary>
internal sealed class ProductLoader : IDisposable
{
    // Batches keep memory constant, and turns short.
    private const int BatchSize = 2_000;

    private readonly SemaphoreSlim _turn = new(1, 1);

    public async Task LoadAsync(
        NpgsqlConnection connection, RequestId request, IAsyncEnumerable<ProductRow> products, CancellationToken cancellationToken)
    {
        var isFirst = true;
        await foreach (var batch in products.Chunk(BatchSize).WithCancellation(cancellationToken))
        {
            if (isFirst && batch.Length < BatchSize)
            {
                // A small request waits for nobody.
                await InsertAsync(connection, request, batch, cancellationToken);
                return;
            }

            if (isFirst)
                await DeleteAsync(connection, request, cancellationToken);
            isFirst = false;
            await CopyInTurnAsync(connection, request, batch, cancellationToken);
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task CopyInTurnAsync(
        NpgsqlConnection connection, RequestId request, IReadOnlyList<ProductRow> products, CancellationToken cancellationToken)
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

    /// <summary>Everything in one round trip, with statements that sessions keep prepared. COPY takes five, and is planned each time.</summary>
    private static async Task InsertAsync(
        NpgsqlConnection connection, RequestId request, IReadOnlyList<ProductRow> products, CancellationToken cancellationToken)
    {
        var images = products.SelectMany(product => product.Urls.Select((url, i) => (product.Row, Position: i + 1, Url: url))).ToList();
        await using var batch = new NpgsqlBatch(connection);
        AddDelete(batch, request);
        batch.Add("insert into products (request_id, row, serial, name) select @request, * from unnest(@rows, @serials, @names)")
            .With("request", request.Value)
            .With("rows", products.Select(product => product.Row).ToArray())
            .With("serials", products.Select(product => product.Serial).ToArray())
            .With("names", products.Select(product => product.Name).ToArray());
        batch.Add("insert into images (request_id, row, position, url) select @request, * from unnest(@rows, @positions, @urls)")
            .With("request", request.Value)
            .With("rows", images.Select(image => image.Row).ToArray())
            .With("positions", images.Select(image => image.Position).ToArray())
            .With("urls", images.Select(image => image.Url).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task DeleteAsync(NpgsqlConnection connection, RequestId request, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        AddDelete(batch, request);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddDelete(NpgsqlBatch batch, RequestId request)
    {
        batch.Add("delete from images where request_id = @request").With("request", request.Value);
        batch.Add("delete from products where request_id = @request").With("request", request.Value);
    }

    // A connection runs one COPY at a time, and images go to a different table than products.
    private static async Task CopyAsync(
        NpgsqlConnection connection, RequestId request, IReadOnlyList<ProductRow> products, CancellationToken cancellationToken)
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
