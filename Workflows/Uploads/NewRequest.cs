using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Requests;

namespace Darkroom.Uploads;

/// <summary>A valid CSV that lies in the object storage: what the accepting transaction makes a request of.</summary>
public sealed record NewRequest
{
    /// <summary>The upload's id, which becomes the request's.</summary>
    public required RequestId Id { get; init; }

    public required OwnerId Owner { get; init; }
    public required WorkflowDefinition Workflow { get; init; }
    public required string CsvPath { get; init; }
    public required long CsvBytes { get; init; }
    public required byte[] CsvSha256 { get; init; }

    /// <summary>What the reader found out about the file, JSON.</summary>
    public required string Dialect { get; init; }

    public required int NoOfProducts { get; init; }
    public required int NoOfImages { get; init; }
    public string? FileName { get; init; }
    public string? WebhookUrl { get; init; }
    public IdempotencyKey? IdempotencyKey { get; init; }
}

/// <summary>The client's name for one upload, and a digest of what it uploaded under it.</summary>
public sealed record IdempotencyKey(string Key, byte[] Digest);

/// <summary>What was answered before under an idempotency key.</summary>
public sealed record IdempotentResponse(RequestId Request, byte[] Digest, string Response);

/// <summary>How the accepting transaction ended.</summary>
public abstract record Acceptance
{
    private Acceptance()
    {
    }

    /// <summary>The request exists.</summary>
    public sealed record Accepted(string Response) : Acceptance;

    /// <summary>It does not: the upload was taken over, or the transaction was rolled back.</summary>
    public sealed record Lost : Acceptance;

    /// <summary>The database went away with the commit, and with it the answer.</summary>
    public sealed record Unknown : Acceptance;
}
