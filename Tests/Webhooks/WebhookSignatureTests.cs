using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Tests.Infrastructure;
using Darkroom.Webhooks;

namespace Darkroom.Tests.Webhooks;

public sealed class WebhookSignatureTests
{
    // The example from the tests of the specification's own libraries.
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string Expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeSeconds(1_614_265_330);
    private static readonly byte[] Body = "{\"test\": 2432232314}"u8.ToArray();

    [Fact]
    public void Signature_matches_the_standards_example() =>
        Assert.Equal(Expected, WebhookSignature.Sign([Secret], Id, Then, Body));

    [HostileCorpusFact]
    public void Signatures_match_every_valid_vector_of_the_corpus()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(HostileCorpus.File("made", "webhook", "standard_webhooks_vectors.json")));
        var vectors = file.RootElement.GetProperty("vectors").EnumerateArray()
            .Where(vector => vector.GetProperty("expect").GetString() == "ok")
            .ToList();

        Assert.NotEmpty(vectors);
        Assert.All(vectors, vector =>
        {
            var headers = vector.GetProperty("headers").EnumerateObject()
                .ToDictionary(header => header.Name, header => header.Value.GetString()!, StringComparer.OrdinalIgnoreCase);
            var signature = WebhookSignature.Sign(
                [vector.GetProperty("secret").GetString()!],
                headers[WebhookSignature.IdHeader],
                DateTimeOffset.FromUnixTimeSeconds(long.Parse(headers[WebhookSignature.TimestampHeader], CultureInfo.InvariantCulture)),
                Encoding.UTF8.GetBytes(vector.GetProperty("payload").GetString()!));
            Assert.Contains(signature, headers[WebhookSignature.SignatureHeader].Split(' '));
        });
    }

    [Fact]
    public void Signatures_match_the_formula()
    {
        var random = new Random(Seed: 9);
        for (var i = 0; i < 200; i++)
        {
            var key = new byte[random.Next(24, 65)];
            var body = new byte[random.Next(0, 5_000)];
            random.NextBytes(key);
            random.NextBytes(body);
            var secret = "whsec_" + Convert.ToBase64String(key);
            var signature = WebhookSignature.Sign([secret], $"msg_{i}", Then.AddSeconds(i), body);

            var signed = Encoding.UTF8.GetBytes($"msg_{i}.{Then.ToUnixTimeSeconds() + i}.").Concat(body).ToArray();
            Assert.Equal("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)), signature);
        }
    }

    [Fact]
    public void Signatures_are_accepted_by_a_third_party_library()
    {
        var random = new Random(Seed: 10);
        for (var i = 0; i < 200; i++)
        {
            var secret = WebhookSecrets.Generate();
            var body = JsonSerializer.Serialize(new { text = new string('\u6f22', random.Next(0, 2_000)), number = random.Next() });
            var webhook = Received([secret], $"msg_{i}", body);

            Assert.True(webhook.IsSignedWith(secret));
            Assert.False((webhook with { Body = Encoding.UTF8.GetBytes(body + " ") }).IsSignedWith(secret));
        }
    }

    [Fact]
    public void While_two_secrets_are_active_a_receiver_can_verify_with_either()
    {
        var (old, fresh) = (WebhookSecrets.Generate(), WebhookSecrets.Generate());
        var webhook = Received([fresh, old], Id, "{}");

        Assert.Equal(2, webhook.Headers[WebhookSignature.SignatureHeader].Split(' ').Length);
        Assert.True(webhook.IsSignedWith(old));
        Assert.True(webhook.IsSignedWith(fresh));
        Assert.False(webhook.IsSignedWith(WebhookSecrets.Generate()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_***")]
    public void An_invalid_secret_is_rejected(string secret)
    {
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign([secret], Id, Then, Body));
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign([], Id, Then, Body));
    }

    // Timestamped now, because the receiver's library uses the system clock.
    private static ReceivedWebhook Received(string[] secrets, string id, string body)
    {
        var (now, bytes) = (TimeProvider.System.GetUtcNow(), Encoding.UTF8.GetBytes(body));
        var headers = new Dictionary<string, string>
        {
            [WebhookSignature.IdHeader] = id,
            [WebhookSignature.TimestampHeader] = WebhookSignature.Seconds(now),
            [WebhookSignature.SignatureHeader] = WebhookSignature.Sign(secrets, id, now, bytes),
        };
        return new ReceivedWebhook("POST", "/", "application/json", headers, bytes);
    }
}
