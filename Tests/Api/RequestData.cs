namespace Darkroom.Tests.Api;

/// <summary>Puts a request into states that workers would otherwise produce.</summary>
internal static class RequestData
{
    /// <summary>Loads the products and images of <see cref="ApiClient.GoodCsv"/>, as the workflow's validation would.</summary>
    public static async Task LoadAsync(this TestApi api, Guid id) => await api.ExecuteAsync(
        """
        insert into products (request_id, row, serial, name)
        values (@id, 1, '1', 'Chair'), (@id, 2, '2', 'Table');

        insert into images (request_id, row, position, url)
        values
          (@id, 2, 1, 'https://images.test/2.png'),
          (@id, 1, 2, 'https://images.test/1b.jpg'),
          (@id, 1, 1, 'https://images.test/1a.jpg');

        update csv_data_table
        set status = 'processing', started_at = now(), revision = revision + 1
        where id = @id
        """, id);

    /// <summary>One image has succeeded, one has failed, one is running.</summary>
    public static async Task ProgressAsync(this TestApi api, Guid id) => await api.ExecuteAsync(
        """
        update images
        set state = 'succeeded', finished_at = now(), attempts = 1, revision = 2,
            original_key = 'o', original_type = 'image/jpeg', original_bytes = 1000, original_width = 40, original_height = 30, original_sha256 = '\x01',
            output_key = 'requests/' || @id || '/images/1-1-0123456789abcdef.jpg',
            output_type = 'image/jpeg', output_bytes = 400, output_width = 40, output_height = 30, output_sha256 = '\x02'
        where request_id = @id and row = 1 and position = 1;

        update images
        set state = 'failed', finished_at = now(), attempts = 3, revision = 2, error_code = 'not_found', error_message = 'The server answered 404.'
        where request_id = @id and row = 1 and position = 2;

        update images
        set state = 'running', owner = gen_random_uuid(), fence = 1, attempts = 1
        where request_id = @id and row = 2;

        update csv_data_table
        set images_succeeded = 1, images_failed = 1, bytes_in = 1000, bytes_out = 400, processing_percentage = 66, revision = revision + 1
        where id = @id
        """, id);

    public static async Task EndAsync(this TestApi api, Guid id, string status, bool withOutput) => await api.ExecuteAsync(
        $"""
        update csv_data_table
        set status = '{status}', finished_at = now(), revision = revision + 1,
            processing_percentage = case when '{status}' like 'completed%' then 100 else processing_percentage end,
            output_path = {(withOutput ? "'requests/' || @id || '/output-1-1.csv'" : "null")},
            output_run = {(withOutput ? "run" : "null")}
        where id = @id
        """, id);
}
