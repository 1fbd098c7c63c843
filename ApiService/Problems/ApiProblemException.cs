namespace Darkroom.Api.Problems;

/// <summary>Ends a request with a problem from below its endpoint.</summary>
public sealed class ApiProblemException(ApiProblem problem, Exception? cause = null) : Exception(problem.Detail ?? problem.Title, cause)
{
    public ApiProblem Problem { get; } = problem;
}
