using Darkroom.Api.Problems;

namespace Darkroom.Api.Elsa;

/// <summary>
/// Errors in the form that Studio shows: from a problem document with status 400 it takes every string under <c>errors</c>. The members
/// <c>statusCode</c> and <c>message</c> are those of Elsa's own server.
/// </summary>
internal static class ElsaProblems
{
    public static ApiProblem Refused(string code, params IReadOnlyList<string> messages) => Refused(StatusCodes.Status400BadRequest, code, messages);

    public static ApiProblem Conflict(string code, string message) => Refused(StatusCodes.Status409Conflict, code, message);

    public static ApiProblem NotFound(string what) =>
        new(StatusCodes.Status404NotFound, "not_found", "There is nothing at this address.") { Detail = $"There is no {what}." };

    private static ApiProblem Refused(int status, string code, params IReadOnlyList<string> messages) =>
        new(status, code, "The request was refused.")
        {
            Detail = string.Join(" ", messages),
            Extensions = new Dictionary<string, object?>
            {
                ["statusCode"] = status,
                ["message"] = messages[0],
                ["errors"] = new Dictionary<string, IReadOnlyList<string>> { ["generalErrors"] = messages },
            },
        };
}
