using System.Net;
using Darkroom.Storage;

namespace Darkroom.Tests.Storage;

public sealed class S3ProxyTests
{
    [Fact]
    public void A_proxy_from_the_environment_is_never_used()
    {
        using var handler = S3ClientFactory.CreateHandler(new ObjectStoreOptions());

        Assert.False(handler.UseProxy);
    }

    [Fact]
    public void A_configured_proxy_is_used()
    {
        using var handler = S3ClientFactory.CreateHandler(new ObjectStoreOptions { Proxy = "http://proxy.example.com:3128" });

        Assert.True(handler.UseProxy);
        Assert.Equal(new Uri("http://proxy.example.com:3128"), Assert.IsType<WebProxy>(handler.Proxy).Address);
    }
}
