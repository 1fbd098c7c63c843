using System.Text.Json;
using Npgsql;

namespace Darkroom.Engine;

/// <summary>The result of executing a workflow activity. Each kind is persisted in one transaction.</summary>
public abstract record ActivityResult
{
    private ActivityResult()
    {
    }

    /// <summary>
    /// More writes for that transaction, made while it locks request and instance and after the fence check; null for none.
    /// It may run again after a failed commit, so it must only write through the connection that it is given.
    /// </summary>
    public CommitEffect? Effect { get; init; }

    /// <summary>What to do once that transaction has committed, unless the process ends before; it must not throw. Null for nothing.</summary>
    public Func<Task>? AfterCommit { get; init; }

    /// <summary>Done; the flow continues with <paramref name="Outcome"/>.</summary>
    public sealed record Completed(string Outcome = Engine.Outcome.Done) : ActivityResult
    {
        /// <summary>Values for the journal, by name; those that the descriptor lists may be bound to variables.</summary>
        public IReadOnlyDictionary<string, object?>? Outputs { get; init; }

        /// <summary>Variables to set, by their ids in the definition.</summary>
        public IReadOnlyDictionary<string, JsonElement>? Variables { get; init; }

        /// <summary>A webhook to send when the run ends.</summary>
        public WebhookRegistration? Webhook { get; init; }
    }

    /// <summary>Waits. The bookmark is inserted before the effect, in the same transaction, so nothing can wake it too early.</summary>
    /// <param name="Payload">What to restore when it resumes, as JSON.</param>
    public sealed record Suspended(string Payload) : ActivityResult
    {
        /// <summary>Wakes by itself after this time; null if only an event wakes it.</summary>
        public TimeSpan? ResumeAfter { get; init; }
    }

    /// <summary>Cannot succeed, now or later. The instance faults.</summary>
    public sealed record Faulted(string Code, string Message) : ActivityResult;
}

/// <summary>Writes in a step's transaction.</summary>
public delegate Task CommitEffect(NpgsqlConnection connection, CancellationToken cancellationToken);

/// <summary>A webhook that the workflow asked for, sent when the run has ended.</summary>
/// <param name="Url">The receiver; empty means the request's own <c>webhook_url</c>.</param>
/// <param name="Payload">What the workflow adds to the body, as <c>data.payload</c>; null for nothing.</param>
public sealed record WebhookRegistration(string? Url, JsonElement? Payload);
