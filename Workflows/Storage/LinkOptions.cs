using System.ComponentModel.DataAnnotations;
using Darkroom.Data;

namespace Darkroom.Storage;

/// <summary>Public URLs. Section <c>Links</c>.</summary>
public sealed class LinkOptions : IValidatableObject
{
    /// <summary>
    /// The API's public URL, as customers and browsers reach it (a path is allowed). No default: it is written into CSVs and webhooks that
    /// outlive this process, so a wrong guess would break those links permanently.
    /// </summary>
    [Required(ErrorMessage = "Links:BaseUrl is missing: set it to the API's public URL.")]
    public string BaseUrl { get; set; } = "";

    /// <summary>
    /// Lifetime of the presigned URL that an image link redirects to. Default 5 min: long enough to load an image, too short to be worth
    /// sharing.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan Redirect { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary><see cref="BaseUrl"/> without a trailing slash, to append <c>/v1/...</c> to.</summary>
    public string Base => BaseUrl.TrimEnd('/');

    /// <summary>The API's URL of a request.</summary>
    public string Request(RequestId id) => $"{Base}/v1/requests/{id}";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Uri.TryCreate(BaseUrl, UriKind.Absolute, out var url) || url is not { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" })
            yield return new ValidationResult("Links:BaseUrl must be an http or https URL without user, query or fragment.");
    }
}
