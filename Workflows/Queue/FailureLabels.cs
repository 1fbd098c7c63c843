using System.Collections.Frozen;
using System.Globalization;
using Darkroom.Egress;
using Darkroom.Images;

namespace Darkroom.Queue;

/// <summary>
/// Failure codes as metric labels. A workflow can fail an image with any text, so only our own codes are used as labels: anything else
/// would create a time series of its own, and might reveal whose image it was.
/// </summary>
internal static class FailureLabels
{
    private const string Other = "other";
    private const string HttpPrefix = "http_";

    private static readonly FrozenSet<string> Known = new[] { typeof(ImageFailureCodes), typeof(EgressRefusalCodes), typeof(QueueFailureCodes) }
        .SelectMany(codes => codes.GetFields())
        .Where(field => field.IsLiteral)
        .Select(field => (string)field.GetRawConstantValue()!)
        .Concat(["expression_failed", "fault", "internal_error", "invalid_workflow", "not_downloaded", "not_stored"])
        .Concat(["storage_denied", "storage_error", "storage_not_found", "storage_unavailable"])
        .ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The code itself, if it is one of ours; otherwise <c>other</c>.</summary>
    public static string Of(string? code) => code is not null && (Known.Contains(code) || IsHttp(code)) ? code : Other;

    private static bool IsHttp(string code) =>
        code.Length == HttpPrefix.Length + 3
        && code.StartsWith(HttpPrefix, StringComparison.Ordinal)
        && int.TryParse(code.AsSpan(HttpPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
        && status is >= 400 and <= 599;
}
