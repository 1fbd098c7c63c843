using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Api.Problems;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>The fields of an upload other than the file's contents.</summary>
internal sealed class UploadFields
{
    public string? FileName { get; set; }
    public string? WebhookUrl { get; private set; }
    public string? Workflow { get; private set; }

    /// <summary>Whether nothing was given but the file.</summary>
    public bool AreDefault => WebhookUrl is null && Workflow is null;

    /// <summary>Whether this is the name of a known form field.</summary>
    public static bool IsField(string name) => name is "webhook_url" or "callback_url" or "workflow";

    /// <summary>A blank value counts as absent, because forms also send empty inputs.</summary>
    public void Set(string name, string value)
    {
        if (value.Trim() is not { Length: > 0 } text)
            return;
        if (name == "workflow")
        {
            if (Workflow is not null)
                throw new ApiProblemException(UploadProblems.RepeatedField(name));
            Workflow = text;
        }
        else
        {
            // webhook_url and callback_url are aliases.
            if (WebhookUrl is not null)
                throw new ApiProblemException(UploadProblems.RepeatedField(name));
            WebhookUrl = text;
        }
    }

    /// <summary>Identifies the upload: a repeated upload must have the same digest.</summary>
    public byte[] Digest(byte[] fileSha256)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(fileSha256);
        Append(digest, WebhookUrl);
        Append(digest, Workflow);
        return digest.GetHashAndReset();
    }

    // Length-prefixed, so that no two pairs of texts yield the same bytes; an absent text differs from an empty one.
    private static void Append(IncrementalHash digest, string? text)
    {
        var bytes = text is null ? [] : Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, text is null ? -1 : bytes.Length);
        digest.AppendData(length);
        digest.AppendData(bytes);
    }
}
