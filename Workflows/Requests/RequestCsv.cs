using Darkroom.Csv;
using Darkroom.Data;
using Npgsql;

namespace Darkroom.Requests;

/// <summary>A request's CSV, as used by its workflow's activities.</summary>
/// <param name="Key">Key of the input object, which holds the uploaded bytes unchanged.</param>
internal sealed record RequestCsv(string Key, CsvDialect Dialect, int Products, int Images)
{
    public static async Task<RequestCsv> ReadAsync(NpgsqlDataSource database, RequestId request, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select csv_path, dialect, no_of_products, no_of_images
                from csv_data_table
                where id = @request
                """)
            .With("request", request.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            throw new InvalidOperationException($"Request {request} does not exist.");
        return new RequestCsv(reader.GetString(0), CsvDialect.FromJson(reader.GetString(1)), reader.GetInt32(2), reader.GetInt32(3));
    }
}
