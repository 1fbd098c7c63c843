using System.Text;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Keys inside this endpoint are strings with one char for each byte of their UTF-8 form: then an ordinal comparison is the
/// byte order in which S3 lists keys, which UTF-16's is not.
/// </summary>
internal static class KeyBytes
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string From(string text) => Ascii(text) ? text : Encoding.Latin1.GetString(Utf8.GetBytes(text));

    public static string ToText(string bytes) => Ascii(bytes) ? bytes : Utf8.GetString(Encoding.Latin1.GetBytes(bytes));

    private static bool Ascii(string text) => System.Text.Ascii.IsValid(text);
}
