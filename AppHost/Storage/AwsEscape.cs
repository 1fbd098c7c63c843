using System.Globalization;
using System.Text;

namespace Darkroom.AppHost.Storage;

/// <summary>The one form of percent-encoding that signatures are made over: unreserved characters stay, hex is upper case.</summary>
internal static class AwsEscape
{
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        Append(escaped, text, keepSlash: false);
        return escaped.ToString();
    }

    public static void Append(StringBuilder to, string text, bool keepSlash)
    {
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' || (keepSlash && c == '/')) to.Append(c);
            else to.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
    }
}
