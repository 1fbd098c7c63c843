using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>A request body in Studio's JSON; null if there is none. Bind it as a parameter of an endpoint.</summary>
internal readonly struct InstanceBody<T>
    where T : class
{
    // A thousand ids, with room to spare. The upload limit does not apply here.
    private const long MaxBytes = 256 * 1024;

    private InstanceBody(T? value) => Value = value;

    public T? Value { get; }

    public static async ValueTask<InstanceBody<T>> BindAsync(HttpContext context, ParameterInfo _)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBytes;
        if (context.Request.ContentLength == 0 || !context.Request.HasJsonContentType())
            return new InstanceBody<T>(null);
        try
        {
            return new InstanceBody<T>(await JsonSerializer.DeserializeAsync<T>(context.Request.Body, ElsaJson.Options, context.RequestAborted));
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException("The body is not the JSON that is expected here.", StatusCodes.Status400BadRequest, e);
        }
    }
}
