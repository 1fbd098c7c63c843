using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;
using LinkOptions = Darkroom.Storage.LinkOptions;

namespace Darkroom.Api.Requests;

/// <summary>Links to this API, built from its configured public URL and never from the Host header, which the client controls.</summary>
internal sealed class ApiLinks(IOptions<LinkOptions> options)
{
    public string Requests => options.Value.Base + "/v1/requests";

    public string Self(RequestId id) => options.Value.Request(id);

    public string Images(RequestId id) => $"{Self(id)}/images";

    public RequestLinksView Of(Request request)
    {
        var self = Self(request.Id);
        return new RequestLinksView(
            self,
            Images(request.Id),
            $"{Images(request.Id)}?state=failed",
            $"{self}/input.csv",
            request.OutputPath is null ? null : $"{self}/output.csv",
            $"{self}/webhooks");
    }
}
