using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Darkroom.Tests.Faults;

/// <summary>
/// A relay that tells a client's commands to Redis apart from their answers. The client pipelines, so what is cut is a group of commands
/// that arrived together: all of them took effect, or none.
/// </summary>
internal sealed class RedisRelay(IPEndPoint target, IPAddress? address = null, int port = 0) : StoreRelay(target, address, port)
{
    public string ConnectionString => $"{Address}:{Port},abortConnect=false";

    /// <summary>Decides what happens to a group of commands, by their text. May wait. Null: all pass.</summary>
    public Func<string, Task<FaultKind>>? Before { get; set; }

    protected override async Task RelayAsync(Socket client, Socket server)
    {
        var connection = new Connection(client, server);
        await await Task.WhenAny(ForwardCommandsAsync(connection), ForwardAnswersAsync(connection));
    }

    // Sent after a group whose answers are withheld: once this is echoed, the whole group has been executed.
    private static readonly byte[] Marker = "darkroom-relay-marker"u8.ToArray();
    private static readonly byte[] Echo = [.. Encoding.ASCII.GetBytes($"*2\r\n$4\r\nECHO\r\n${Marker.Length}\r\n"), .. Marker, .. "\r\n"u8];

    private async Task ForwardCommandsAsync(Connection connection)
    {
        var buffer = new byte[256 * 1024];
        while (await connection.Client.ReceiveAsync(buffer, Stopping) is > 0 and var read)
        {
            var group = buffer.AsMemory(0, read);
            var text = Encoding.Latin1.GetString(group.Span);
            // Handshakes and subscriptions are not commands of the product.
            var isWhole = text.Contains("EVAL", StringComparison.OrdinalIgnoreCase) && EndsAfterCommand(text);
            var fault = isWhole && Before is { } before ? await before(text) : FaultKind.None;
            switch (fault)
            {
                case FaultKind.CutBefore:
                    return;
                case FaultKind.CutAfter or FaultKind.SilentAfter:
                    connection.IsSilent = true;
                    await SendAsync(connection.Server, group, Stopping);
                    await SendAsync(connection.Server, Echo, Stopping);
                    await connection.Executed.WaitAsync(Stopping);
                    if (fault == FaultKind.CutAfter)
                        return;
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Stopping);
                    break;
                case FaultKind.Slow:
                    await Task.Delay(SlowDelay, TimeProvider.System, Stopping);
                    break;
            }

            await SendAsync(connection.Server, group, Stopping);
        }
    }

    private async Task ForwardAnswersAsync(Connection connection)
    {
        var buffer = new byte[256 * 1024];
        while (await connection.Server.ReceiveAsync(buffer, Stopping) is > 0 and var read)
        {
            if (!connection.IsSilent)
                await SendAsync(connection.Client, buffer.AsMemory(0, read), Stopping);
            else if (connection.IsEchoed(buffer.AsSpan(0, read), Marker))
                connection.Executed.Release();
        }
    }

    /// <summary>Whether the text consists of complete commands, each an array of bulk strings.</summary>
    private static bool EndsAfterCommand(string text)
    {
        var at = 0;
        while (at < text.Length)
        {
            if (!TryReadNumber(text, '*', ref at, out var parts))
                return false;
            for (; parts > 0; parts--)
            {
                if (!TryReadNumber(text, '$', ref at, out var length))
                    return false;
                at += length + 2;
            }
        }

        return at == text.Length;
    }

    private static bool TryReadNumber(string text, char kind, ref int at, out int number)
    {
        number = 0;
        var end = at < text.Length && text[at] == kind ? text.IndexOf("\r\n", at, StringComparison.Ordinal) : -1;
        if (end < 0 || !int.TryParse(text.AsSpan(at + 1, end - at - 1), NumberStyles.None, CultureInfo.InvariantCulture, out number))
            return false;
        at = end + 2;
        return true;
    }

    private sealed class Connection(Socket client, Socket server)
    {
        private readonly List<byte> _withheld = [];
        private volatile bool _isSilent;

        public Socket Client => client;
        public Socket Server => server;
        public SemaphoreSlim Executed { get; } = new(0);

        /// <summary>Whether answers no longer reach the client.</summary>
        public bool IsSilent
        {
            get => _isSilent;
            set => _isSilent = value;
        }

        /// <summary>Whether the answers withheld so far contain the marker.</summary>
        public bool IsEchoed(ReadOnlySpan<byte> answers, ReadOnlySpan<byte> marker)
        {
            _withheld.AddRange(answers);
            return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_withheld).IndexOf(marker) >= 0;
        }
    }
}
