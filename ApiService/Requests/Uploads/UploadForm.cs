using System.Net.Mime;
using System.Text;
using Darkroom.Api.Problems;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>
/// The body of an upload, streamed once: either a multipart form with fields before or after the file, or the bare CSV with its fields
/// in the query string.
/// </summary>
internal sealed class UploadForm
{
    private const int MaxBoundaryLength = 70; // RFC 2046
    private const int MaxFileNameLength = 255;

    // Browsers on machines with Excel send a .csv with Excel's type; command-line tools send no type or a generic one.
    private static readonly string[] FileTypes =
    [
        MediaTypeNames.Text.Csv, "application/csv", "application/vnd.ms-excel", MediaTypeNames.Text.Plain, "text/comma-separated-values",
        "text/tab-separated-values", MediaTypeNames.Application.Octet,
    ];

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly HttpRequest _request;
    private readonly string? _boundary;
    private readonly int _maxFieldBytes;

    private UploadForm(HttpRequest request, string? boundary, int maxFieldBytes)
    {
        _request = request;
        _boundary = boundary;
        _maxFieldBytes = maxFieldBytes;
    }

    public UploadFields Fields { get; } = new();

    /// <summary>Validates the headers and the query string, without reading the body.</summary>
    /// <exception cref="ApiProblemException">The request is not a valid upload.</exception>
    public static UploadForm Open(HttpRequest request, int maxFieldBytes)
    {
        if (request.Headers.ContentEncoding is { Count: > 0 } encoding && encoding != "identity")
            throw new ApiProblemException(UploadProblems.Encoded);
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
            throw new ApiProblemException(UploadProblems.WrongType);
        var form = new UploadForm(request, BoundaryOf(type), maxFieldBytes);
        foreach (var (name, values) in request.Query.Where(pair => UploadFields.IsField(pair.Key)))
        {
            if (values.Count > 1)
                throw new ApiProblemException(UploadProblems.RepeatedField(name));
            form.Fields.Set(name, values.ToString());
        }

        return form;
    }

    /// <summary>Reads the whole body and passes the file to <paramref name="receive"/>.</summary>
    public async Task ReadAsync(Func<Stream, CancellationToken, Task> receive, CancellationToken cancellationToken)
    {
        if (_boundary is null)
        {
            await receive(_request.Body, cancellationToken);
            return;
        }

        try
        {
            await ReadPartsAsync(_boundary, receive, cancellationToken);
        }
        catch (Exception e) when (IsMalformed(e))
        {
            throw new ApiProblemException(UploadProblems.BrokenForm("The body is not a complete multipart form."), e);
        }
    }

    /// <summary>Whether the multipart reader rejected the body, as opposed to a broken connection.</summary>
    public static bool IsMalformed(Exception e) =>
        e is InvalidDataException or IOException and not (ConnectionResetException or BadHttpRequestException);

    private static string? BoundaryOf(MediaTypeHeaderValue type)
    {
        if (type.MediaType.Equals(MediaTypeNames.Text.Csv, StringComparison.OrdinalIgnoreCase))
        {
            RefuseCharset(type);
            return null;
        }

        if (!type.MediaType.Equals(MediaTypeNames.Multipart.FormData, StringComparison.OrdinalIgnoreCase))
            throw new ApiProblemException(UploadProblems.WrongType);
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        return boundary.Length is > 0 and <= MaxBoundaryLength
            ? boundary
            : throw new ApiProblemException(UploadProblems.BrokenForm("The Content-Type has no boundary, or one that is too long."));
    }

    private async Task ReadPartsAsync(string boundary, Func<Stream, CancellationToken, Task> receive, CancellationToken cancellationToken)
    {
        var reader = new MultipartReader(boundary, _request.Body);
        var hasFile = false;
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } part)
        {
            if (!ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out var disposition)
                || HeaderUtilities.RemoveQuotes(disposition.Name).ToString() is not { Length: > 0 } name)
                throw new ApiProblemException(UploadProblems.BrokenForm("A part of the form has no name."));

            if (name == "file")
            {
                if (hasFile)
                    throw new ApiProblemException(UploadProblems.RepeatedField(name));
                hasFile = true;
                RefuseFileType(part.ContentType);
                Fields.FileName = CleanFileName(disposition);
                await receive(part.Body, cancellationToken);
            }
            else if (UploadFields.IsField(name))
            {
                Fields.Set(name, await ReadFieldAsync(name, part.Body, cancellationToken));
            }
            else
            {
                // A misspelt webhook_url must not be silently ignored.
                throw new ApiProblemException(UploadProblems.UnknownField(name));
            }
        }

        if (!hasFile)
            throw new ApiProblemException(UploadProblems.NoFile);
    }

    private async Task<string> ReadFieldAsync(string name, Stream body, CancellationToken cancellationToken)
    {
        var buffer = new byte[_maxFieldBytes + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > _maxFieldBytes)
            throw new ApiProblemException(UploadProblems.BrokenForm($"'{name}' is longer than {_maxFieldBytes} bytes."));
        try
        {
            return StrictUtf8.GetString(buffer, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw new ApiProblemException(UploadProblems.BrokenForm($"'{name}' is not UTF-8."));
        }
    }

    private static void RefuseFileType(string? contentType)
    {
        if (contentType is null)
            return;
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type) || !FileTypes.Contains(type.MediaType.ToString(), StringComparer.OrdinalIgnoreCase))
            throw new ApiProblemException(UploadProblems.WrongFileType(type?.MediaType.ToString() ?? "of a malformed type"));
        RefuseCharset(type);
    }

    // Reject an unsupported charset instead of guessing; if none is declared, it is detected from the file.
    private static void RefuseCharset(MediaTypeHeaderValue type)
    {
        var charset = HeaderUtilities.RemoveQuotes(type.Charset).ToString();
        if (charset.ToLowerInvariant() is not ("" or "utf-8" or "utf8" or "us-ascii" or "utf-16" or "utf-16le" or "utf-16be"))
            throw new ApiProblemException(UploadProblems.WrongCharset(charset.Length > 40 ? charset[..40] : charset));
    }

    /// <summary>The bare file name, without a path and without characters that are unsafe in a header or a terminal.</summary>
    internal static string? CleanFileName(ContentDispositionHeaderValue disposition)
    {
        var name = (disposition.FileNameStar.HasValue ? disposition.FileNameStar : Unescape(disposition.FileName)).ToString();
        name = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        var clean = new StringBuilder(Math.Min(name.Length, MaxFileNameLength));
        foreach (var rune in name.EnumerateRunes())
        {
            if (clean.Length + rune.Utf16SequenceLength > MaxFileNameLength)
                break;
            if (Rune.GetUnicodeCategory(rune) is not (System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator))
                clean.Append(rune.ToString());
        }

        return clean.ToString().Trim() is { Length: > 0 } kept ? kept : null;
    }

    // Some clients escape backslashes as the grammar requires, others send a local Windows path as it is.
    private static StringSegment Unescape(StringSegment quoted) =>
        quoted.HasValue && (quoted.Value.Contains("\\\"", StringComparison.Ordinal) || quoted.Value.Contains(@"\\", StringComparison.Ordinal))
            ? HeaderUtilities.UnescapeAsQuotedString(quoted)
            : HeaderUtilities.RemoveQuotes(quoted);
}
