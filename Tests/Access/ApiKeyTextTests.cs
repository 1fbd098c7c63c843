using Darkroom.Access;

namespace Darkroom.Tests.Access;

public sealed class ApiKeyTextTests
{
    [Fact]
    public void A_key_has_a_public_prefix_and_256_secret_bits()
    {
        var texts = Enumerable.Range(0, 200).Select(_ => ApiKeyText.Generate()).ToList();

        Assert.Equal(200, texts.Distinct().Count());
        Assert.All(texts, text =>
        {
            var prefix = ApiKeyText.Prefix(text);
            Assert.NotNull(prefix);
            Assert.StartsWith($"dk_{prefix}_", text, StringComparison.Ordinal);
            Assert.Equal(43, text.Length - $"dk_{prefix}_".Length);
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("dk_")]
    [InlineData("dk_abc_short")]
    [InlineData("sk_abcdefghij_0123456789012345678901234567890123456789012")]
    [InlineData("dk_ABCDEF_0123456789012345678901234567890123456789012")]
    [InlineData("dk_abcdef_01234567890123456789 12345678901234567890")]
    [InlineData("dk_abcdef_0123456789012345678901234567890123456789012\n")]
    [InlineData("dk_abcdef_0123456789012345678901234567890123456789\0012")]
    public void Text_that_is_not_a_key_has_no_prefix(string text) => Assert.Null(ApiKeyText.Prefix(text));

    [Fact]
    public void Text_longer_than_any_key_is_rejected() =>
        Assert.Null(ApiKeyText.Prefix("dk_abcdef_" + new string('a', 100_000)));
}
