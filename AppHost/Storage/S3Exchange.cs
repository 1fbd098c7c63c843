using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>One request that was let in, and its answer.</summary>
internal sealed class S3Exchange(HttpContext context, S3Target target, SignedRequest signed)
{
    private const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    public S3Target Target { get; } = target;
    public HttpRequest Request => context.Request;
    public HttpResponse Response => context.Response;
    public CancellationToken Aborted => context.RequestAborted;

    public string? Header(string name) => Request.Headers.TryGetValue(name, out var values) ? values[0] : null;

    public Task<ReceivedBody> ReceiveAsync(BodySink sink) => new Payload(Request, signed).CopyToAsync(sink, Aborted);

    /// <summary>The request's document. Names are looked up without namespace: clients differ in whether they give one.</summary>
    public async Task<XElement> ReceiveXmlAsync()
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

    public Task AnswerXmlAsync(XElement body) => AnswerXmlAsync(Response, 200, body);

    public static async Task AnswerXmlAsync(HttpResponse response, int status, XElement body)
    {
        foreach (var element in body.DescendantsAndSelf()) element.Name = XName.Get(element.Name.LocalName, status == 200 ? Namespace : "");
        using var text = new MemoryStream();
        // Keys may hold what XML cannot say except by reference: so without the check.
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Encoding = new UTF8Encoding(false), CheckCharacters = false }))
            body.WriteTo(writer);
        response.StatusCode = status;
        response.ContentType = "application/xml";
        response.ContentLength = text.Length;
        await response.Body.WriteAsync(text.GetBuffer().AsMemory(0, (int)text.Length));
    }

    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A number from the query between 0 and <paramref name="most"/>; that itself if it is not given.</summary>
    public int Limit(string name, int most)
    {
        if (Target[name] is not { } text) return most;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? Math.Min(number, most)
            : throw S3Error.InvalidArgument($"{name} is not valid.");
    }
}
