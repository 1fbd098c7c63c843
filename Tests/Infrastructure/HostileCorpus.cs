namespace Darkroom.Tests.Infrastructure;

/// <summary>Hostile files that are kept outside the repository: a folder named by <c>DARKROOM_HOSTILE_CORPUS</c>.</summary>
internal static class HostileCorpus
{
    public const string Variable = "DARKROOM_HOSTILE_CORPUS";

    public static string? Folder => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;

    public static string File(params string[] path) =>
        Path.Combine([Folder ?? throw new InvalidOperationException($"{Variable} is not set."), .. path]);
}

/// <summary>A fact about the corpus of hostile files; skipped, saying so, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class HostileCorpusFactAttribute : FactAttribute
{
    public HostileCorpusFactAttribute()
    {
        if (HostileCorpus.Folder is null) Skip = $"{HostileCorpus.Variable} does not name the folder of hostile files.";
    }
}

/// <summary>The same for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class HostileCorpusTheoryAttribute : TheoryAttribute
{
    public HostileCorpusTheoryAttribute()
    {
        if (HostileCorpus.Folder is null) Skip = $"{HostileCorpus.Variable} does not name the folder of hostile files.";
    }
}
