namespace Darkroom.Tests.Infrastructure;

/// <summary>Hostile files that are kept outside the repository, in the folder that <c>DARKROOM_HOSTILE_CORPUS</c> names.</summary>
internal static class HostileCorpus
{
    public const string Variable = "DARKROOM_HOSTILE_CORPUS";

    public static string? Folder => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : null;

    public static string File(params string[] path) =>
        Path.Combine([Folder ?? throw new InvalidOperationException($"{Variable} is not set."), .. path]);
}

/// <summary>A fact that needs the hostile files; skipped with a reason if the folder is not set.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class HostileCorpusFactAttribute : FactAttribute
{
    public HostileCorpusFactAttribute()
    {
        if (HostileCorpus.Folder is null)
            Skip = $"{HostileCorpus.Variable} is not set to the folder of hostile files.";
    }
}

/// <summary>A theory that needs the hostile files; skipped with a reason if the folder is not set.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class HostileCorpusTheoryAttribute : TheoryAttribute
{
    public HostileCorpusTheoryAttribute()
    {
        if (HostileCorpus.Folder is null)
            Skip = $"{HostileCorpus.Variable} is not set to the folder of hostile files.";
    }
}
