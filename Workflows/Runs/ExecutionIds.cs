using System.Security.Cryptography;
using System.Text;

namespace Darkroom.Runs;

/// <summary>
/// Ids of executions. Activities of the workflow have rows, and their ids are those. The executions of a body's activity are
/// only counted, so the one record that stands for them has an id made of its instance and its node.
/// </summary>
internal static class ExecutionIds
{
    private const char Separator = '-';

    public static string OfBody(Guid instance, string nodeId) => $"{instance:N}{Separator}{Hash(nodeId)}";

    /// <summary>The instance that an id of the second kind names.</summary>
    public static bool TryParseBody(string id, out Guid instance)
    {
        instance = default;
        return id.Length == 49 && id[32] == Separator && Guid.TryParseExact(id[..32], "N", out instance);
    }

    private static string Hash(string nodeId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(nodeId)).AsSpan(0, 8));
}
