using System.Text.Json;
using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>The values that a request provides for its workflow's inputs.</summary>
internal static class RequestInputs
{
    public static async Task<Dictionary<string, JsonElement>> ReadAsync(
        NpgsqlConnection connection, RequestId request, int run, CancellationToken cancellationToken)
    {
        await using var command = connection.Sql(
                """
                select file_name, no_of_products, no_of_images
                from csv_data_table
                where id = @request
                """)
            .With("request", request.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        object?[] values = [request.Value, run, reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2)];
        return WorkflowInputs.Names.Zip(values).ToDictionary(pair => pair.First, pair => JsonSerializer.SerializeToElement(pair.Second), StringComparer.Ordinal);
    }
}
