namespace Darkroom.Webhooks;

/// <summary>What became of the wish to send a delivery again.</summary>
public enum WebhookReplay
{
    /// <summary>It is due now, or being sent at this moment.</summary>
    Accepted,

    /// <summary>The owner has no such delivery.</summary>
    Unknown,

    /// <summary>Its receiver answered 410; the endpoint must be enabled first.</summary>
    EndpointDisabled,

    /// <summary>Its address is none that a webhook can go to.</summary>
    InvalidUrl,
}
