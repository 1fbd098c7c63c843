using System.ComponentModel.DataAnnotations;
using Darkroom.Data;

namespace Darkroom.Storage;

/// <summary>How the outside world reaches us. Section <c>Links</c>.</summary>
public sealed class LinkOptions : IValidatableObject
{
    /// <summary>
    /// The API's public address, as customers and browsers reach it (a path is allowed). No default: it is written into CSVs and
    /// webhooks that outlive this process, so a guess would be a broken link for ever.
    /// </summary>
    [Required(ErrorMessage = "Links:BaseUrl is missing: set it to the API's public address.")]
    public string BaseUrl { get; set; } = "";

    /// <summary>Life of the presigned address that an image link redirects to. Default 5 min. Long enough to load an image, short enough not to be passed on.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan Redirect { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary><see cref="BaseUrl"/> without a trailing slash: put <c>/v1/...</c> behind it.</summary>
    public string Base => BaseUrl.TrimEnd('/');

    /// <summary>The API's address of a request.</summary>
    public string Request(RequestId id) => $"{Base}/v1/requests/{id}";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Uri.TryCreate(BaseUrl, UriKind.Absolute, out var url) || url is not { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" })
            yield return new ValidationResult("Links:BaseUrl must be an http or https address without user, query and fragment.");
    }
}
