using Darkroom.Data;
using Darkroom.Tests.Api;

namespace Darkroom.Tests.Elsa.Instances;

/// <summary>Puts runs into the states that workers would put them into.</summary>
internal static class InstanceData
{
    public static async Task<Guid> InstanceOfAsync(this TestApi api, Guid request) =>
        (Guid)(await api.Database.Sql("select id from workflow_instances where request_id = @id order by run desc limit 1")
            .With("id", request)
            .ExecuteScalarAsync())!;

    /// <summary>A request whose run ended with one of two images failed, with its journal; returns request and instance.</summary>
    public static async Task<(Guid Request, Guid Instance)> FinishedAsync(this TestApi api, HttpClient client)
    {
        var request = await client.AcceptedAsync();
        await api.LoadAsync(request);
        await api.ProgressAsync(request);
        await api.EndAsync(request, "completed_with_errors", withOutput: true);
        await api.ExecuteAsync(
            """
            update images
            set journal = '[{"NodeId":"Workflow1:Flowchart1:fan-out:body:download","Activity":"DownloadImage1","Outcome":"not_found","Milliseconds":3}]'
            where request_id = @id and state = 'failed';

            update workflow_instances
            set status = 'Finished', sub_status = 'Finished', ready_at = null, owner = null, finished_at = now(), updated_at = now()
            where request_id = @id;

            insert into activity_executions (id, instance_id, sequence, activity_id, node_id, activity_type, activity_name, status, started_at, completed_at)
            select gen_random_uuid(), id, 1, 'fan-out', 'Workflow1:Flowchart1:fan-out', 'Darkroom.FanOutImages', 'FanOutImages1', 'Completed', now(), now()
            from workflow_instances
            where request_id = @id;

            insert into fan_out_counts (instance_id, node_id, completed, faulted)
            select id, 'Workflow1:Flowchart1:fan-out:body:download', 1, 1
            from workflow_instances
            where request_id = @id
            """, request);
        return (request, await api.InstanceOfAsync(request));
    }
}
