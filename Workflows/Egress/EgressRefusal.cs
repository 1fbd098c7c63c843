namespace Darkroom.Egress;

/// <summary>Why a URL may not be requested. <see cref="Code"/> is one of <see cref="EgressRefusalCodes"/>.</summary>
public sealed record EgressRefusal(string Code, string Message);

/// <summary>
/// Thrown when a guarded handler refuses to connect. <see cref="HttpClient"/> wraps it; use <see cref="Find"/> to unwrap it.
/// </summary>
public sealed class EgressRefusedException(EgressRefusal refusal) : IOException(refusal.Message)
{
    public EgressRefusal Refusal { get; } = refusal;

    /// <summary>The refusal that caused an <see cref="HttpClient"/> exception, if there is one.</summary>
    public static EgressRefusal? Find(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            if (exception is EgressRefusedException refused)
                return refused.Refusal;
        return null;
    }
}

/// <summary>Refusal codes as they appear in the <c>Errors</c> column and in the API. Renaming one breaks clients.</summary>
public static class EgressRefusalCodes
{
    public const string InvalidUrl = "invalid_url";
    public const string ForbiddenScheme = "forbidden_scheme";
    public const string ForbiddenPort = "forbidden_port";
    public const string ForbiddenAddress = "forbidden_address";
}
