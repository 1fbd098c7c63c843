using System.Net;
using System.Net.Http;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace Darkroom.Storage;

/// <summary>Creates the SDK's client with our timeouts, our connection pool and no duplicate checksums.</summary>
internal static class S3ClientFactory
{
    public static AmazonS3Client Create(S3ConnectionString connection, ObjectStoreOptions options)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = connection.ForcePathStyle,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = options.Retries,
            Timeout = options.Try,
            // We send a SHA-256 with every object; the SDK's default would add a CRC on top and chunk the body for it.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            HttpClientFactory = new Connections(new HttpClient(CreateHandler(options)) { Timeout = options.Try }),
        };
        if (connection.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.AuthenticationRegion = connection.Region;
        }
        else if (connection.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        return connection is { AccessKey: { } accessKey, SecretKey: { } secretKey }
            ? new AmazonS3Client(new BasicAWSCredentials(accessKey, secretKey), config)
            : new AmazonS3Client(config);
    }

    internal static SocketsHttpHandler CreateHandler(ObjectStoreOptions options) => new()
    {
        ConnectTimeout = options.Try,
        // S3 has many addresses, and they change over time in DNS.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        AllowAutoRedirect = false,
        // Never one from the environment.
        UseProxy = options.Proxy is not null,
        Proxy = options.Proxy is { } proxy ? new WebProxy(proxy) : null,
    };

    /// <summary>
    /// Gives the client one connection pool of its own. The SDK's cache would create or share pools depending on the configuration's
    /// text.
    /// </summary>
    private sealed class Connections(HttpClient client) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;
        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }
}
