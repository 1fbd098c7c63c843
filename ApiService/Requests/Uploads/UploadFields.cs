using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Api.Problems;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>What a client says of its upload besides the file.</summary>
internal sealed class UploadFields
{
    public string? FileName { get; set; }
    public string? WebhookUrl { get; private set; }
    public string? Workflow { get; private set; }

    /// <summary>Whether a form may carry a field of this name.</summary>
    public static bool IsField(string name) => name is "webhook_url" or "callback_url" or "workflow";

    /// <summary>Blank means absent: forms send their empty inputs too.</summary>
    public void Set(string name, string value)
    {
        if (value.Trim() is not { Length: > 0 } text) return;
        if (name == "workflow")
        {
            if (Workflow is not null) throw new ApiProblemException(UploadProblems.RepeatedField(name));
            Workflow = text;
        }
        else
        {
            // webhook_url and callback_url are one field by two names.
            if (WebhookUrl is not null) throw new ApiProblemException(UploadProblems.RepeatedField(name));
            WebhookUrl = text;
        }
    }

    /// <summary>What must be the same for an upload to be the same one again.</summary>
    public byte[] Digest(byte[] fileSha256)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(fileSha256);
        Append(digest, WebhookUrl);
        Append(digest, Workflow);
        return digest.GetHashAndReset();
    }

    // With its length before it, so that no two pairs of texts make the same bytes; an absent text differs from every given one.
    private static void Append(IncrementalHash digest, string? text)
    {
        var bytes = text is null ? [] : Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, text is null ? -1 : bytes.Length);
        digest.AppendData(length);
        digest.AppendData(bytes);
    }
}
