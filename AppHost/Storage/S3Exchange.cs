using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>An authenticated request and its response.</summary>
internal sealed class S3Exchange(HttpContext context, S3Target target, SignedRequest signed)
{
    private const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    public S3Target Target { get; } = target;
    public HttpRequest Request => context.Request;
    public HttpResponse Response => context.Response;
    public CancellationToken Aborted => context.RequestAborted;

    public string? Header(string name) => Request.Headers.TryGetValue(name, out var values) ? values[0] : null;

    public Task<ReceivedBody> ReadBodyAsync(BodySink sink) => new Payload(Request, signed).CopyToAsync(sink, Aborted);

    /// <summary>Reads the request's XML document. Look up elements without namespace: not all clients send one.</summary>
    public async Task<XElement> ReadXmlAsync()
    {
        var document = await new Payload(Request, signed).ReadDocumentAsync(Aborted);
        try
        {
            using var reader = XmlReader.Create(
                new MemoryStream(document), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            throw S3Error.MalformedXml();
        }
    }

    public Task RespondXmlAsync(XElement body) => RespondXmlAsync(Response, 200, body);

    public static async Task RespondXmlAsync(HttpResponse response, int status, XElement body)
    {
        foreach (var element in body.DescendantsAndSelf())
            element.Name = XName.Get(element.Name.LocalName, status == 200 ? Namespace : "");
        using var text = new MemoryStream();
        // Keys may contain characters that XML allows only as references, so the writer must not check them.
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Encoding = new UTF8Encoding(false), CheckCharacters = false }))
            body.WriteTo(writer);
        response.StatusCode = status;
        response.ContentType = "application/xml";
        response.ContentLength = text.Length;
        await response.Body.WriteAsync(text.GetBuffer().AsMemory(0, (int)text.Length));
    }

    public static string FormatTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A query parameter between 0 and <paramref name="max"/>, which is also the default.</summary>
    public int Limit(string name, int max)
    {
        if (Target[name] is not { } text)
            return max;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? Math.Min(number, max)
            : throw S3Error.InvalidArgument($"{name} is not valid.");
    }
}
