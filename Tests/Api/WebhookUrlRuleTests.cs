using Darkroom.Api.Requests.Uploads;
using Darkroom.Egress;
using Darkroom.Tests.Egress;

namespace Darkroom.Tests.Api;

public sealed class WebhookUrlRuleTests
{
    private const string LoopbackUrl = "https://127.0.0.1:9000/";

    private static readonly WebhookUrlRule Production = Rule(new EgressOptions());

    [Theory]
    [InlineData("https://169.254.169.254/")]
    [InlineData("https://2852039166/latest/meta-data")]
    [InlineData("https://0xa9fea9fe/")]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://127.1/")]
    [InlineData("https://127.0.0.1./")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[fe80::1]/")]
    [InlineData("https://[fd00::1]/")]
    [InlineData("https://[::ffff:10.0.0.1]/")]
    [InlineData("https://[64:ff9b::a00:1]/")]
    public void An_address_of_our_own_network_is_refused_in_any_spelling(string url) =>
        Assert.Equal("The URL leads to an address that is not on the public internet.", Production.Validate(url));

    [Theory]
    [InlineData("https://hooks.example/done?id=1")]
    [InlineData("https://8.8.8.8/")]
    [InlineData("https://internal.example/")]
    public void A_public_address_and_any_host_name_are_accepted(string url) => Assert.Null(Production.Validate(url));

    [Fact]
    public void Loopback_is_accepted_only_where_the_egress_guard_allows_it()
    {
        Assert.NotNull(Production.Validate(LoopbackUrl));
        Assert.Null(Rule(new EgressOptions { AllowLoopback = true }).Validate(LoopbackUrl));
        Assert.NotNull(Rule(new EgressOptions { AllowLoopback = true }).Validate("https://169.254.169.254/"));
    }

    private static WebhookUrlRule Rule(EgressOptions egress) => new(TestEgress.Guard(egress), allowHttp: false, allowLoopbackHttp: false);
}
