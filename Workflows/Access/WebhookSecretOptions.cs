using System.ComponentModel.DataAnnotations;

namespace Darkroom.Access;

/// <summary>How webhook secrets are rotated. Section <c>Webhooks</c>, shared with the settings for sending them.</summary>
public sealed class WebhookSecretOptions
{
    /// <summary>
    /// How long the previous secret still signs after a rotation. Default 24 h: time for receivers to switch to the new one.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan SecretOverlap { get; set; } = TimeSpan.FromHours(24);
}
