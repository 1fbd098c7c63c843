using System.ComponentModel.DataAnnotations;

namespace Darkroom.Access;

/// <summary>How webhook secrets are rotated. Section <c>Webhooks</c>, beside what sends them.</summary>
public sealed class WebhookSecretOptions
{
    /// <summary>How long the previous secret still signs after a rotation, hours. Default 24.</summary>
    [Range(0, 720)]
    public double SecretOverlapHours { get; set; } = 24;

    public TimeSpan SecretOverlap => TimeSpan.FromHours(SecretOverlapHours);
}
