using System.Security.Cryptography;
using System.Text;

namespace Darkroom.Engine.Definitions;

/// <summary>Names the text of a definition by its content.</summary>
public sealed record DocumentHash(byte[] Bytes)
{
    public string Hex { get; } = Convert.ToHexString(Bytes);

    public static DocumentHash Of(string document) => new(SHA256.HashData(Encoding.UTF8.GetBytes(document)));
}
