using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Api.Problems;
using Darkroom.Api.Requests.Uploads;
using Darkroom.Api.Server;
using Darkroom.Engine.Definitions;
using Darkroom.Runs;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Elsa.Definitions;

/// <summary>Exports definitions to files and imports them.</summary>
internal static class DefinitionFileEndpoints
{
    private const int MaxFiles = 1000;

    // Zip compresses definitions to about a tenth.
    private const int CompressionRatio = 10;

    // The earliest time that a zip can hold, so that the same definitions produce the same bytes.
    private static readonly DateTimeOffset ZipTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly JsonSerializerOptions FileFormat = new(DefinitionSerializer.Format) { WriteIndented = true };

    public static void MapFiles(this IEndpointRouteBuilder api)
    {
        api.MapMethods("/workflow-definitions/{definitionId}/export", [HttpMethods.Get, HttpMethods.Post], ExportAsync);
        api.MapPost("/bulk-actions/export/workflow-definitions", ExportManyAsync);
    }

    public static void MapImport(this IEndpointRouteBuilder edit)
    {
        edit.MapMethods("/workflow-definitions/import", [HttpMethods.Post, HttpMethods.Put], ImportAsync);
        edit.MapMethods("/workflow-definitions/{definitionId}/import", [HttpMethods.Post, HttpMethods.Put], ImportAsync);
        edit.MapPost("/workflow-definitions/import-files", ImportFilesAsync).DisableAntiforgery();
    }

    private static async Task<IResult> ExportAsync(string definitionId, ElsaQuery query, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var versions = VersionOptions.Parse(query.Text("versionOptions") ?? "Latest");
        return versions is { } selected && await definitions.FindAsync(definitionId, selected, cancellationToken) is { } found
            ? Results.File(Bytes(found), "application/json", FileName(found.Summary))
            : ElsaProblems.NotFound("workflow definition of this id in such a version");
    }

    private static async Task<IResult> ExportManyAsync(HttpRequest request, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var body = await ElsaBody.ReadAsync(request, cancellationToken);
        var found = await definitions.FindVersionsAsync(body.Texts("ids"), cancellationToken);
        if (found.Count == 0)
            return ElsaProblems.NotFound("workflow definition version of these ids");
        using var buffer = new MemoryStream();
        await using (var zip = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var version in found)
            {
                var entry = zip.CreateEntry(FileName(version.Summary));
                entry.LastWriteTime = ZipTime;
                await using var stream = await entry.OpenAsync(cancellationToken);
                await stream.WriteAsync(Bytes(version), cancellationToken);
            }
        }

        return Results.File(buffer.ToArray(), "application/zip", "workflow-definitions.zip");
    }

    private static async Task<IResult> ImportAsync(
        HttpContext context, DefinitionResults results, DefinitionSerializer text, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var model = await ElsaBody.ReadAsync(context.Request, cancellationToken);
        if (context.GetRouteValue("definitionId") is string definitionId)
            model["definitionId"] = definitionId;
        var (id, document) = ReadImport(model, results, text);
        var edit = await definitions.ImportAsync(id, document, DefinitionResults.EditorOf(context), cancellationToken);
        return DefinitionResults.ToResult(edit, done => results.Show(done.Version, mayEdit: true));
    }

    private static async Task<IResult> ImportFilesAsync(
        HttpContext context, DefinitionResults results, DefinitionSerializer text, DefinitionStore definitions, IOptions<ServerOptions> server,
        CancellationToken cancellationToken)
    {
        if (!context.Request.HasFormContentType)
            return ElsaProblems.Refused("no_files", "The body must be a form with the files to import.");
        var files = (await ReadFormAsync(context.Request, cancellationToken)).Files;
        if (files.Count == 0)
            return ElsaProblems.Refused("no_files", "The form has no files to import.");
        var models = new List<JsonObject>();
        foreach (var file in files)
        {
            await using var stream = file.OpenReadStream();
            if (file.FileName.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
                await ReadZipAsync(stream, models, server.Value.MaxBodyBytes, cancellationToken);
            else
                models.Add(await ElsaBody.ReadAsync(stream, server.Value.MaxBodyBytes, cancellationToken));
        }

        // Imports are not atomic across definitions, but an unreadable file is found before the first one is written.
        var imports = models.Select(model => ReadImport(model, results, text)).ToList();
        foreach (var (id, document) in imports)
            await definitions.ImportAsync(id, document, DefinitionResults.EditorOf(context), cancellationToken);
        return ElsaJson.Ok(new { models.Count });
    }

    /// <summary>The definition in a file, and the id to import it under; null for a new id.</summary>
    private static (string? Id, WorkflowDocument Document) ReadImport(JsonObject model, DefinitionResults results, DefinitionSerializer text)
    {
        var document = results.Read(model);
        if (text.UnsupportedElsaTypes(document) is { Count: > 0 } messages)
            throw new ApiProblemException(ElsaProblems.Refused("unsupported_activities", [.. messages.Select(message => $"{document.Name} uses {message}")]));
        return (DefinitionResults.DefinitionId(model), document);
    }

    private static async Task<IFormCollection> ReadFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await request.ReadFormAsync(cancellationToken);
        }
        catch (Exception e) when (UploadForm.IsMalformed(e))
        {
            throw new ApiProblemException(ElsaProblems.Refused("invalid_form", "The body is not a complete multipart form."), e);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw new ApiProblemException(ElsaBody.TooLarge, e);
        }
    }

    private static async Task ReadZipAsync(Stream stream, List<JsonObject> models, long maxBytes, CancellationToken cancellationToken)
    {
        // At most a request body. The form's own stream does not seek as ZipArchive expects.
        using var buffer = new MemoryStream();
        await stream.CopyToAsync(buffer, cancellationToken);
        var before = models.Count;
        try
        {
            await using var zip = new ZipArchive(buffer, ZipArchiveMode.Read);
            var remaining = CompressionRatio * maxBytes;
            // macOS adds its own entries under this name.
            foreach (var entry in zip.Entries.Where(entry =>
                entry.FullName.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && !entry.FullName.StartsWith("__MACOSX", StringComparison.Ordinal)))
            {
                if (models.Count >= MaxFiles)
                    throw new ApiProblemException(ElsaProblems.Refused("too_many_files", $"At most {MaxFiles} definitions at once."));
                await using var content = await entry.OpenAsync(cancellationToken);
                // Each at most the size of a request body, and all together at most a few of those: a small zip may unpack to a lot.
                var (model, bytes) = await ElsaBody.ReadCountedAsync(content, Math.Min(maxBytes, remaining), cancellationToken);
                remaining -= bytes;
                models.Add(model);
            }
        }
        catch (InvalidDataException e)
        {
            throw new ApiProblemException(ElsaProblems.Refused("invalid_zip", "The file is not a zip file, or is damaged."), e);
        }

        if (models.Count == before)
            throw new ApiProblemException(ElsaProblems.Refused("empty_zip", "The zip file contains no definitions: no file in it ends in .json."));
    }

    private static byte[] Bytes(WorkflowDefinition version) => Encoding.UTF8.GetBytes(DefinitionSerializer.Export(version).ToJsonString(FileFormat));

    private static string FileName(DefinitionSummary version)
    {
        var name = new string([.. version.Name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        var id = new string([.. version.DefinitionId.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-')]);
        return $"workflow-definition-{name.Trim('-')}-{id}-v{version.Version}.json";
    }
}
