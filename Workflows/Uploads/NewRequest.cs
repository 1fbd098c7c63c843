using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Requests;

namespace Darkroom.Uploads;

/// <summary>A valid, stored CSV, ready to be accepted as a request.</summary>
public sealed record NewRequest
{
    /// <summary>The upload's id, which becomes the request's.</summary>
    public required RequestId Id { get; init; }

    public required OwnerId Owner { get; init; }
    public required WorkflowDefinition Workflow { get; init; }
    public required string CsvPath { get; init; }
    public required long CsvBytes { get; init; }
    public required byte[] CsvSha256 { get; init; }

    /// <summary>The file's format as detected by the reader, as JSON.</summary>
    public required string Dialect { get; init; }

    public required int NoOfProducts { get; init; }
    public required int NoOfImages { get; init; }
    public string? FileName { get; init; }
    public string? WebhookUrl { get; init; }
    public IdempotencyKey? IdempotencyKey { get; init; }
}

/// <summary>The client's key for one upload, and a digest of what was uploaded.</summary>
public sealed record IdempotencyKey(string Key, byte[] Digest);

/// <summary>Whether an upload could begin.</summary>
public abstract record UploadStart
{
    private UploadStart()
    {
    }

    /// <summary>The upload has begun.</summary>
    public sealed record Begun(Upload Upload) : UploadStart;

    /// <summary>Another upload with this idempotency key is in progress.</summary>
    public sealed record InFlight : UploadStart;

    /// <summary>An upload with this idempotency key was accepted before, and answered with this response.</summary>
    public sealed record Repeated(RequestId Request, byte[] Digest, string Response) : UploadStart;
}

/// <summary>The outcome of accepting an upload.</summary>
public abstract record Acceptance
{
    private Acceptance()
    {
    }

    /// <summary>The request was created.</summary>
    public sealed record Accepted(string Response) : Acceptance;

    /// <summary>The request was not created: the upload was taken over, or the transaction was rolled back.</summary>
    public sealed record Lost : Acceptance;

    /// <summary>The connection was lost during the commit, and whether it succeeded could not be determined.</summary>
    public sealed record Unknown : Acceptance;
}
