using Darkroom.Data;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A request as <see cref="RequestBuilder"/> left it in the database.</summary>
/// <param name="Id">The request.</param>
/// <param name="Owner">Its owner.</param>
/// <param name="Instance">Its workflow instance.</param>
/// <param name="Bookmark">The bookmark of its fan-out, if the fan-out is open.</param>
/// <param name="Images">Its images, in the order of the file.</param>
internal sealed record BuiltRequest(RequestId Id, OwnerId Owner, Guid Instance, Guid? Bookmark, IReadOnlyList<ImageId> Images);

/// <summary>Inserts a request with its owner, workflow instance, products and images directly into the database, with one image per row.</summary>
internal sealed class RequestBuilder(NpgsqlDataSource database)
{
    private int _images = 1;
    private int _run = 1;
    private bool _fanOutIsOpen = true;
    private string _status = "processing";
    private OwnerId? _owner;

    public RequestBuilder WithImages(int count)
    {
        _images = count;
        return this;
    }

    public RequestBuilder InRun(int run)
    {
        _run = run;
        return this;
    }

    /// <summary>The status of an unfinished request: <c>created</c> or <c>processing</c>.</summary>
    public RequestBuilder WithStatus(string status)
    {
        _status = status;
        return this;
    }

    public RequestBuilder OwnedBy(OwnerId owner)
    {
        _owner = owner;
        return this;
    }

    /// <summary>The images are loaded, but the workflow has not reached its fan-out: there is no bookmark, and no image can be claimed.</summary>
    public RequestBuilder BeforeFanOut()
    {
        _fanOutIsOpen = false;
        return this;
    }

    public async Task<BuiltRequest> BuildAsync()
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var owner = _owner ?? await InsertOwnerAsync(connection);
        var request = await InsertRequestAsync(connection, owner);
        var instance = await InsertInstanceAsync(connection, request);
        Guid? bookmark = _fanOutIsOpen ? await InsertBookmarkAsync(connection, instance) : null;
        var images = await InsertImagesAsync(connection, request);
        await transaction.CommitAsync();
        return new BuiltRequest(request, owner, instance, bookmark, images);
    }

    private static async Task<OwnerId> InsertOwnerAsync(NpgsqlConnection connection) =>
        new((Guid)(await connection.Sql("insert into owners (name) values (@name) returning id")
            .With("name", $"owner {Guid.NewGuid():N}")
            .ExecuteScalarAsync())!);

    private async Task<RequestId> InsertRequestAsync(NpgsqlConnection connection, OwnerId owner)
    {
        var id = Guid.NewGuid();
        await connection.Sql(
                """
                insert into workflow_definitions (id, definition_id, version, name, is_latest, is_published, document)
                values ('test-1', 'test', 1, 'Test', true, true, '{}')
                on conflict do nothing;

                insert into csv_data_table (
                  id, csv_path, status, no_of_products, no_of_images, owner_id, csv_bytes, csv_sha256, dialect,
                  workflow_definition_id, workflow_version_id, run, fan_out_open, started_at)
                values (
                  @id, 'requests/' || @id || '/input.csv', @status::status_enum, @images, @images, @owner, 1, '\x00', '{}',
                  'test', 'test-1', @run, @open, now())
                """)
            .With("id", id)
            .With("status", _status)
            .With("images", _images)
            .With("owner", owner.Value)
            .With("run", _run)
            .With("open", _fanOutIsOpen && _status == "processing")
            .ExecuteNonQueryAsync();
        return new RequestId(id);
    }

    private async Task<Guid> InsertInstanceAsync(NpgsqlConnection connection, RequestId request)
    {
        var id = Guid.NewGuid();
        await connection.Sql(
                """
                insert into workflow_documents (sha256, document)
                values ('\x00', '{}')
                on conflict do nothing;

                insert into workflow_instances (
                  id, request_id, run, definition_id, definition_version_id, version, document_sha256, sub_status, state, ready_at)
                values (@id, @request, @run, 'test', 'test-1', 1, '\x00', 'Suspended', '{}', null)
                """)
            .With("id", id)
            .With("request", request.Value)
            .With("run", _run)
            .ExecuteNonQueryAsync();
        return id;
    }

    private static async Task<Guid> InsertBookmarkAsync(NpgsqlConnection connection, Guid instance)
    {
        var id = Guid.NewGuid();
        await connection.Sql(
                """
                insert into bookmarks (id, instance_id, activity_id, name, payload)
                values (@id, @instance, 'FanOut', 'Darkroom.FanOutImages', '{}')
                """)
            .With("id", id)
            .With("instance", instance)
            .ExecuteNonQueryAsync();
        return id;
    }

    private async Task<IReadOnlyList<ImageId>> InsertImagesAsync(NpgsqlConnection connection, RequestId request)
    {
        await using var command = connection.Sql(
                """
                insert into products (request_id, row, serial, name)
                select @request, row, row::text, 'Product ' || row
                from generate_series(1, @images) row;

                insert into images (request_id, row, position, url, run)
                select @request, row, 1, 'http://127.0.0.1/' || row || '.jpg', @run
                from generate_series(1, @images) row
                order by row
                returning id
                """)
            .With("request", request.Value)
            .With("images", NpgsqlDbType.Integer, _images)
            .With("run", _run);
        var ids = new List<ImageId>(_images);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            ids.Add(new ImageId(reader.GetInt64(0)));
        return ids;
    }
}
