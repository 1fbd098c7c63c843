using Darkroom.Api.Problems;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>The result of receiving an upload.</summary>
internal abstract record UploadResult
{
    private UploadResult()
    {
    }

    /// <summary>A request was created.</summary>
    /// <param name="Response">The response, as stored for repeated uploads.</param>
    public sealed record Accepted(string Response) : UploadResult;

    /// <summary>The upload was rejected.</summary>
    public sealed record Refused(ApiProblem Problem) : UploadResult;
}
