using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Tests.Infrastructure;
using Darkroom.Webhooks;

namespace Darkroom.Tests.Webhooks;

public sealed class WebhookSignatureTests
{
    // The example that the specification's own libraries test with.
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string Expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeSeconds(1_614_265_330);
    private static readonly byte[] Body = "{\"test\": 2432232314}"u8.ToArray();

    [Fact]
    public void The_example_of_the_standard_is_signed_as_it_says() =>
        Assert.Equal(Expected, WebhookSignature.Sign([Secret], Id, Then, Body));

    [HostileCorpusFact]
    public void Every_vector_of_the_corpus_is_judged_as_it_says()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(HostileCorpus.File("made", "webhook", "standard_webhooks_vectors.json")));
        var vectors = file.RootElement.GetProperty("vectors").EnumerateArray().ToList();

        Assert.NotEmpty(vectors);
        Assert.All(vectors, vector =>
        {
            var headers = vector.GetProperty("headers").EnumerateObject()
                .ToDictionary(header => header.Name, header => header.Value.GetString(), StringComparer.OrdinalIgnoreCase);
            var verified = WebhookSignature.Verify(
                [vector.GetProperty("secret").GetString()!],
                headers.GetValueOrDefault,
                Encoding.UTF8.GetBytes(vector.GetProperty("payload").GetString()!),
                DateTimeOffset.FromUnixTimeSeconds(vector.GetProperty("now").GetInt64()),
                TimeSpan.FromSeconds(vector.GetProperty("tolerance_s").GetInt32()));
            Assert.True(verified == (vector.GetProperty("expect").GetString() == "ok"), vector.GetProperty("name").GetString());
        });
    }

    [Fact]
    public void Whatever_is_signed_verifies_and_agrees_with_the_formula_written_out()
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
            Assert.True(Verify([secret], $"msg_{i}", Then.AddSeconds(i), signature, body, Then));
        }
    }

    [Fact]
    public void While_two_secrets_live_a_receiver_may_hold_either()
    {
        var (old, fresh) = (WebhookSecrets.Generate(), WebhookSecrets.Generate());
        var signature = WebhookSignature.Sign([fresh, old], Id, Then, Body);

        Assert.Equal(2, signature.Split(' ').Length);
        Assert.True(Verify([old], Id, Then, signature, Body, Then));
        Assert.True(Verify([fresh], Id, Then, signature, Body, Then));
        Assert.False(Verify([WebhookSecrets.Generate()], Id, Then, signature, Body, Then));
    }

    public static TheoryData<string, string, string, string?, string> Forgeries => new()
    {
        { "another id", "msg_other", "1614265330", Expected, "{\"test\": 2432232314}" },
        { "another time", Id, "1614265331", Expected, "{\"test\": 2432232314}" },
        { "a time with a sign", Id, "+1614265330", Expected, "{\"test\": 2432232314}" },
        { "a time with a blank", Id, " 1614265330", Expected, "{\"test\": 2432232314}" },
        { "a time beyond all numbers", Id, "99999999999999999999999", Expected, "{\"test\": 2432232314}" },
        { "the largest time", Id, "9223372036854775807", Expected, "{\"test\": 2432232314}" },
        { "another body", Id, "1614265330", Expected, "{\"test\": 2432232315}" },
        { "a longer body", Id, "1614265330", Expected, "{\"test\": 2432232314} " },
        { "no signature", Id, "1614265330", null, "{\"test\": 2432232314}" },
        { "an empty signature", Id, "1614265330", "v1,", "{\"test\": 2432232314}" },
        { "another version", Id, "1614265330", "v2" + Expected[2..], "{\"test\": 2432232314}" },
        { "an asymmetric version", Id, "1614265330", "v1a" + Expected[2..], "{\"test\": 2432232314}" },
        { "no version", Id, "1614265330", Expected[3..], "{\"test\": 2432232314}" },
        { "a cut signature", Id, "1614265330", Expected[..^1], "{\"test\": 2432232314}" },
        { "a signature and more", Id, "1614265330", Expected + "=", "{\"test\": 2432232314}" },
        { "letters that are not ASCII", Id, "1614265330", "v1,\u00e9\u00e9\u00e9\u00e9", "{\"test\": 2432232314}" },
    };

    [Theory]
    [MemberData(nameof(Forgeries))]
    public void A_forgery_does_not_verify(string what, string id, string timestamp, string? signature, string body)
    {
        var headers = new Dictionary<string, string?> { ["webhook-id"] = id, ["webhook-timestamp"] = timestamp, ["webhook-signature"] = signature };

        Assert.False(WebhookSignature.Verify([Secret], headers.GetValueOrDefault, Encoding.UTF8.GetBytes(body), Then), what);
    }

    [Theory]
    [InlineData(-301, false)]
    [InlineData(-300, true)]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public void An_old_or_early_message_does_not_verify(int seconds, bool verifies) =>
        Assert.Equal(verifies, Verify([Secret], Id, Then, Expected, Body, Then.AddSeconds(seconds)));

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_***")]
    public void What_is_no_secret_signs_and_verifies_nothing(string secret)
    {
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign([secret], Id, Then, Body));
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign([], Id, Then, Body));
        var unkeyed = HMACSHA256.HashData(Array.Empty<byte>(), Encoding.UTF8.GetBytes($"{Id}.{Then.ToUnixTimeSeconds()}.").Concat(Body).ToArray());
        Assert.False(Verify([secret], Id, Then, "v1," + Convert.ToBase64String(unkeyed), Body, Then));
    }

    private static bool Verify(string[] secrets, string id, DateTimeOffset timestamp, string signature, byte[] body, DateTimeOffset now)
    {
        var headers = new Dictionary<string, string?>
        {
            ["webhook-id"] = id,
            ["webhook-timestamp"] = timestamp.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["webhook-signature"] = signature,
        };
        return WebhookSignature.Verify(secrets, headers.GetValueOrDefault, body, now);
    }
}
