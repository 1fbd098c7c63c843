using System.Collections;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>Environments of children, as plain dictionaries.</summary>
internal static class ChildEnvironment
{
    /// <summary>A copy of ours.</summary>
    public static Dictionary<string, string> Inherited() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(
                entry => (string)entry.Key,
                entry => (string?)entry.Value ?? "",
                OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
}
