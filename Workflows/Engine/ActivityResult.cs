using System.Text.Json;
using Npgsql;

namespace Darkroom.Engine;

/// <summary>What an execution of a workflow activity came to. Each kind is persisted by one transaction.</summary>
public abstract record ActivityResult
{
    private ActivityResult()
    {
    }

    /// <summary>
    /// What else that transaction writes, under the locks of request and instance and after the fence was checked; null for
    /// nothing. It may run again after a failed commit, so it must only write through the connection that it is given.
    /// </summary>
    public CommitEffect? Effect { get; init; }

    /// <summary>Done; the flow goes on by <paramref name="Outcome"/>.</summary>
    public sealed record Completed(string Outcome = Engine.Outcome.Done) : ActivityResult
    {
        /// <summary>Facts for the journal, by name; those that the descriptor lists may be bound to variables.</summary>
        public IReadOnlyDictionary<string, object?>? Outputs { get; init; }

        /// <summary>Variables to set, by their ids in the definition.</summary>
        public IReadOnlyDictionary<string, JsonElement>? Variables { get; init; }

        /// <summary>A webhook to send when the run has ended.</summary>
        public WebhookRegistration? Webhook { get; init; }
    }

    /// <summary>Waits. The bookmark is inserted first and the effect follows, in one transaction: nothing can wake it too early.</summary>
    /// <param name="Payload">What to remember, JSON.</param>
    public sealed record Suspended(string Payload) : ActivityResult
    {
        /// <summary>After this time it wakes by itself; null if only an event wakes it.</summary>
        public TimeSpan? ResumeAfter { get; init; }
    }

    /// <summary>Cannot succeed, now or later. The instance faults.</summary>
    public sealed record Faulted(string Code, string Message) : ActivityResult;
}

/// <summary>Writes in the transaction of a step.</summary>
public delegate Task CommitEffect(NpgsqlConnection connection, CancellationToken cancellationToken);

/// <summary>A webhook that the workflow asked for, sent when the run has ended.</summary>
/// <param name="Url">The receiver; empty means the request's own <c>webhook_url</c>.</param>
/// <param name="Payload">Whatever the workflow adds to the body, as <c>data.payload</c>; null for nothing.</param>
public sealed record WebhookRegistration(string? Url, JsonElement? Payload);
