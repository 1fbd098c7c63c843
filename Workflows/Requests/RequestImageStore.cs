using Darkroom.Data;
using Npgsql;

namespace Darkroom.Requests;

/// <summary>Reads the images of a request page by page, in CSV order.</summary>
public sealed class RequestImageStore(NpgsqlDataSource database)
{
    private const string Columns =
        """
        i.id, i.row, i.position, p.serial, p.name, i.url, i.state::text, i.attempts, i.error_code, i.error_message,
        i.original_key, i.original_type, i.original_bytes, i.original_width, i.original_height, i.original_sha256,
        i.output_key, i.output_type, i.output_bytes, i.output_width, i.output_height, i.output_sha256
        """;

    /// <summary>Lists images after the given place. The caller must have checked who owns the request.</summary>
    public async Task<IReadOnlyList<RequestImage>> ListAsync(
        RequestId request, ImageFilter filter, ImagePlace? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                with page as (
                  {Page(filter)}
                )
                select {Columns}
                from page
                join images i on i.id = page.id
                join products p on p.request_id = i.request_id and p.row = i.row
                order by i.row, i.position
                """)
            .With("request", request.Value)
            .With("row", after?.Row ?? 0)
            .With("position", after?.Position ?? 0)
            .With("limit", limit);
        var images = new List<RequestImage>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            images.Add(Read(reader));
        return images;
    }

    /// <summary>The key of an image's recorded output, or null.</summary>
    public async Task<string?> FindOutputKeyAsync(ImageId image, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select output_key
                from images
                where id = @id
                  and state = 'succeeded'
                """)
            .With("id", image.Value);
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    // Each state is a literal in its own branch, because the planner uses a partial index only if it can see the condition. A page of
    // the few unfinished images of a large request then reads only those few.
    private static string Page(ImageFilter filter) => filter switch
    {
        ImageFilter.All => Branch("true"),
        ImageFilter.Succeeded => Branch("state = 'succeeded'"),
        ImageFilter.Failed => Branch("state = 'failed'"),
        ImageFilter.Unfinished =>
            $"""
            select id
            from (
              ({Branch("state = 'waiting'")})
              union all
              ({Branch("state = 'offered'")})
              union all
              ({Branch("state = 'running'")})
            ) unfinished
            order by row, position
            limit @limit
            """,
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, null),
    };

    private static string Branch(string state) =>
        $"""
        select id, row, position
        from images
        where request_id = @request
          and {state}
          and (row, position) > (@row, @position)
        order by row, position
        limit @limit
        """;

    private static RequestImage Read(NpgsqlDataReader row) => new()
    {
        Id = new ImageId(row.GetInt64(0)),
        Place = new ImagePlace(row.GetInt32(1), row.GetInt32(2)),
        Serial = row.GetString(3),
        ProductName = row.GetString(4),
        Url = row.GetString(5),
        State = row.GetString(6),
        Attempts = row.GetInt32(7),
        ErrorCode = row.TextOrNull(8),
        ErrorMessage = row.TextOrNull(9),
        Original = ReadStored(row, 10),
        Output = ReadStored(row, 16),
    };

    private static StoredImage? ReadStored(NpgsqlDataReader row, int first) => row.TextOrNull(first) is { } key
        ? new StoredImage(
            key, row.TextOrNull(first + 1), row.LongOrNull(first + 2), row.IntOrNull(first + 3), row.IntOrNull(first + 4), row.BytesOrNull(first + 5))
        : null;
}
