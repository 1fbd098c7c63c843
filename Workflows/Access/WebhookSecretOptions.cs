using System.ComponentModel.DataAnnotations;

namespace Darkroom.Access;

/// <summary>How webhook secrets are rotated. Section <c>Webhooks</c>, beside what sends them.</summary>
public sealed class WebhookSecretOptions
{
    /// <summary>How long the previous secret still signs after a rotation. Default 24 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromHours(24);
}
