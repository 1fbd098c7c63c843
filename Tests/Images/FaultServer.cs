using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Darkroom.Tests.Images;

/// <summary>A web server on loopback that misbehaves on demand: handlers see the request head and write raw bytes.</summary>
internal sealed class FaultServer : IAsyncDisposable
{
    public delegate Task Script(Exchange exchange);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Script _script;
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;
    private readonly List<Task> _serving = [];
    private int _connections;
    private int _open;
    private int _peak;

    /// <param name="certificate">Uses TLS with this certificate.</param>
    public FaultServer(Script script, X509Certificate2? certificate = null)
    {
        _script = script;
        _certificate = certificate;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }
    public int Connections => _connections;
    public int PeakConnections => _peak;
    public Uri Url => At("/image.jpg");

    public Uri At(string path) => new($"http://127.0.0.1:{Port}{path}");

    /// <summary>Answers every request with this status line, headers and body.</summary>
    public static FaultServer Answering(string status, byte[] body, params string[] headers) =>
        new(exchange => exchange.AnswerAsync(status, body, headers));

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                lock (_serving)
                    _serving.Add(Task.Run(() => ServeAsync(socket)));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var open = Interlocked.Increment(ref _open);
        lock (_serving)
            _peak = Math.Max(_peak, open);
        try
        {
            await using var stream = await OpenAsync(socket);
            while (await Exchange.ReadAsync(socket, stream, _stop.Token) is { } exchange)
            {
                await _script(exchange);
                if (exchange.Closes)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or AuthenticationException)
        {
            // The client closed the connection, as it should in most of these tests.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<Stream> OpenAsync(Socket socket)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        if (_certificate is null)
            return stream;
        var secure = new SslStream(stream);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
        return secure;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] serving;
        lock (_serving)
            serving = [.. _serving];
        await Task.WhenAll(serving);
        _stop.Dispose();
    }

    /// <summary>One request and its connection.</summary>
    internal sealed class Exchange(Socket socket, Stream stream, string head, CancellationToken stopping)
    {
        public string Head => head;
        public string Path => head.Split(' ')[1];
        public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;
        public CancellationToken Stopping => stopping;
        public bool Closes { get; private set; }

        public static async Task<Exchange?> ReadAsync(Socket socket, Stream stream, CancellationToken stopping)
        {
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                if (await stream.ReadAsync(one, stopping) == 0)
                    return null;
                head.Append((char)one[0]);
            }

            return new Exchange(socket, stream, head.ToString(), stopping);
        }

        public async Task AnswerAsync(string status, byte[] body, params string[] headers)
        {
            await WriteAsync($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n");
            await WriteAsync(body);
        }

        public async Task RedirectAsync(string location, string status = "302 Found") => await AnswerAsync(status, [], "Location: " + location);

        public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

        public async Task WriteAsync(byte[] bytes) => await stream.WriteAsync(bytes, stopping);

        public async Task PauseAsync(TimeSpan time) => await Task.Delay(time, TimeProvider.System, stopping);

        /// <summary>Closes the connection gracefully after this exchange.</summary>
        public void Close() => Closes = true;

        /// <summary>Resets the connection.</summary>
        public void Reset()
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
            Closes = true;
        }
    }
}
