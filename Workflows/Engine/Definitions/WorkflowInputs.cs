namespace Darkroom.Engine.Definitions;

/// <summary>The inputs that a definition may declare: every request brings a value for each.</summary>
internal static class WorkflowInputs
{
    public static IReadOnlyList<string> Names { get; } = ["RequestId", "Run", "FileName", "Products", "Images"];
}
