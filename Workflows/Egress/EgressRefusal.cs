namespace Darkroom.Egress;

/// <summary>Why an address is not dialled. <see cref="Code"/> is one of <see cref="EgressRefusalCodes"/>.</summary>
public sealed record EgressRefusal(string Code, string Message);

/// <summary>Thrown by connections of the guard's handlers; <see cref="HttpClient"/> wraps it, so look for it among the inner exceptions.</summary>
public sealed class EgressRefusedException(EgressRefusal refusal) : IOException(refusal.Message)
{
    public EgressRefusal Refusal { get; } = refusal;

    /// <summary>The refusal behind an exception that an <see cref="HttpClient"/> threw, if there is one.</summary>
    public static EgressRefusal? Find(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            if (exception is EgressRefusedException refused) return refused.Refusal;
        return null;
    }
}

/// <summary>The codes of refusals, as they appear in the <c>Errors</c> column and in the API. Renaming one breaks somebody's script.</summary>
public static class EgressRefusalCodes
{
    public const string InvalidUrl = "invalid_url";
    public const string ForbiddenScheme = "forbidden_scheme";
    public const string ForbiddenPort = "forbidden_port";
    public const string ForbiddenAddress = "forbidden_address";
}
