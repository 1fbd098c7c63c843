using System.Net.Sockets;
using System.Text;

namespace Darkroom.Tests.Infrastructure;

/// <summary>One HTTP/1.1 connection without an HTTP client, to see exactly what a server sends and when.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly TcpClient _client = new();
    private StreamReader _reader = null!;

    public static async Task<RawHttp> ConnectAsync(Uri server)
    {
        var connection = new RawHttp();
        await connection._client.ConnectAsync(server.Host, server.Port);
        connection._reader = new StreamReader(connection._client.GetStream(), Encoding.Latin1);
        return connection;
    }

    /// <summary>Sends these lines, each followed by a line break.</summary>
    public async Task SendAsync(params string[] lines) =>
        await _client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\r\n"))));

    /// <summary>Reads the next status line and headers, up to the blank line.</summary>
    public async Task<List<string>> ReadHeadAsync()
    {
        var lines = new List<string>();
        while (await _reader.ReadLineAsync() is { Length: > 0 } line)
            lines.Add(line);
        return lines;
    }

    public void Dispose()
    {
        _reader?.Dispose();
        _client.Dispose();
    }
}
