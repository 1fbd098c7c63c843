using System.Security.Cryptography;
using System.Text;

namespace Darkroom.Runs;

/// <summary>
/// Ids of executions. Executions of workflow activities have rows, whose ids they use. Executions of body activities are
/// only counted, so the single record that represents them has an id made of its instance and its node.
/// </summary>
internal static class ExecutionIds
{
    private const char Separator = '-';

    public static string OfBody(Guid instance, string nodeId) => $"{instance:N}{Separator}{Hash(nodeId)}";

    /// <summary>The instance that a body activity's id refers to.</summary>
    public static bool TryParseBody(string id, out Guid instance)
    {
        instance = default;
        return id.Length == 49 && id[32] == Separator && Guid.TryParseExact(id[..32], "N", out instance);
    }

    private static string Hash(string nodeId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(nodeId)).AsSpan(0, 8));
}
