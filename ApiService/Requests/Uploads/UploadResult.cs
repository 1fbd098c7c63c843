using Darkroom.Api.Problems;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>How receiving an upload ended.</summary>
internal abstract record UploadResult
{
    private UploadResult()
    {
    }

    /// <summary>A request was made of it.</summary>
    /// <param name="Response">The answer, as it is kept for repetitions.</param>
    public sealed record Accepted(string Response) : UploadResult;

    /// <summary>Nothing was made of it, and nothing of it is left.</summary>
    public sealed record Refused(ApiProblem Problem) : UploadResult;
}
