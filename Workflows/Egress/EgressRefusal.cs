using Darkroom.Images;

namespace Darkroom.Egress;

/// <summary>Why an address is not dialled. <see cref="Code"/> is one of <see cref="ImageFailureCodes"/>.</summary>
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
