using System.Text.Json;
using Darkroom.Data;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>What a request brings to its workflow: the values of the inputs that a definition may declare.</summary>
internal static class WorkflowInputs
{
    public static IReadOnlyList<string> Names { get; } = ["RequestId", "Run", "FileName", "Products", "Images"];

    public static async Task<Dictionary<string, JsonElement>> ReadAsync(
        NpgsqlConnection connection, RequestId request, int run, CancellationToken cancellation)
    {
        await using var command = connection.Sql(
                """
                select file_name, no_of_products, no_of_images
                from csv_data_table
                where id = @request
                """)
            .With("request", request.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        object?[] values = [request.Value, run, reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2)];
        return Names.Zip(values).ToDictionary(pair => pair.First, pair => JsonSerializer.SerializeToElement(pair.Second), StringComparer.Ordinal);
    }
}
