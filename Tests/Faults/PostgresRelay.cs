using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Npgsql;

namespace Darkroom.Tests.Faults;

/// <summary>
/// A relay that sees each exchange with Postgres: the statements that a client sends before it waits, and the moment at which the server
/// has executed them. Statements prepared earlier on the connection are recognized by their name.
/// </summary>
internal sealed class PostgresRelay : StoreRelay
{
    private const int SslRequest = 80877103;
    private const int GssRequest = 80877104;
    private const int CancelRequest = 80877102;

    public PostgresRelay(string connectionString, IPAddress? address = null, int port = 0)
        : base(Endpoint(connectionString), address, port)
    {
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = (address ?? IPAddress.Loopback).ToString(),
            Port = Port,
        }.ConnectionString;
    }

    /// <summary>The same database, through the relay.</summary>
    public string ConnectionString { get; }

    /// <summary>Decides what happens to an exchange, by the text of its statements. May wait. Null: all pass.</summary>
    public Func<string, Task<FaultKind>>? Before { get; set; }

    /// <summary>Called when the server has answered and the client has not heard of it yet. May wait, and change what happens.</summary>
    public Func<string, FaultKind, Task<FaultKind>>? After { get; set; }

    protected override async Task RelayAsync(Socket client, Socket server)
    {
        if (!await StartAsync(client, server))
            return;
        var sent = Channel.CreateUnbounded<(string Text, FaultKind Fault)>();
        await await Task.WhenAny(ForwardRequestsAsync(client, server, sent.Writer), ForwardAnswersAsync(server, client, sent.Reader));
    }

    private static IPEndPoint Endpoint(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        return new IPEndPoint(IPAddress.Parse(builder.Host!), builder.Port);
    }

    /// <summary>Messages before the start-up message have no type, and are answered by one byte.</summary>
    private async Task<bool> StartAsync(Socket client, Socket server)
    {
        while (true)
        {
            var head = new byte[8];
            if (!await TryReadAsync(client, head, Stopping))
                return false;
            var message = new byte[BinaryPrimitives.ReadInt32BigEndian(head)];
            head.CopyTo(message, 0);
            if (!await TryReadAsync(client, message.AsMemory(8), Stopping))
                return false;
            await SendAsync(server, message, Stopping);
            var code = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4));
            if (code is not (SslRequest or GssRequest))
                return code != CancelRequest;
            var answer = new byte[1];
            if (!await TryReadAsync(server, answer, Stopping))
                return false;
            await SendAsync(client, answer, Stopping);
        }
    }

    private async Task ForwardRequestsAsync(Socket client, Socket server, ChannelWriter<(string Text, FaultKind Fault)> sent)
    {
        var prepared = new Dictionary<string, string>();
        var pending = new MemoryStream();
        var text = new StringBuilder();
        var transaction = new StringBuilder();
        while (await ReadMessageAsync(client) is { } message)
        {
            pending.Write(message);
            Note(message, prepared, text);
            // Data of a COPY belongs to the exchange that started it; passwords come before the first one.
            if (message[0] is (byte)'d' or (byte)'c' or (byte)'f' or (byte)'p' or (byte)'H' or (byte)'X')
            {
                await SendAsync(server, pending.ToArray(), Stopping);
                pending.SetLength(0);
            }
            else if (message[0] is (byte)'Q' or (byte)'S')
            {
                var exchange = Complete(text, transaction);
                var fault = Before is { } before ? await before(exchange) : FaultKind.None;
                if (fault == FaultKind.CutBefore)
                    return;
                if (fault == FaultKind.Slow)
                    await Task.Delay(SlowDelay, TimeProvider.System, Stopping);
                sent.TryWrite((exchange, fault));
                await SendAsync(server, pending.ToArray(), Stopping);
                pending.SetLength(0);
            }
        }
    }

    /// <summary>The text of an exchange. One that commits starts with COMMIT, followed by all statements of its transaction.</summary>
    private static string Complete(StringBuilder text, StringBuilder transaction)
    {
        var exchange = text.ToString();
        text.Clear();
        if (exchange.StartsWith("begin", StringComparison.OrdinalIgnoreCase))
            transaction.Clear();
        transaction.Append(exchange);
        // On its own, or together with the last statements.
        return exchange.Split('\n', StringSplitOptions.RemoveEmptyEntries) is [.., var last] && last.Equals("commit", StringComparison.OrdinalIgnoreCase)
            ? $"COMMIT\n{transaction}"
            : exchange;
    }

    private async Task ForwardAnswersAsync(Socket server, Socket client, ChannelReader<(string Text, FaultKind Fault)> sent)
    {
        var held = new MemoryStream();
        var isReady = false;
        while (await ReadMessageAsync(server) is { } message)
        {
            held.Write(message);
            // 'Z': the server has executed everything and waits. The first one ends the authentication.
            if (message[0] == (byte)'Z' && isReady && sent.TryRead(out var exchange))
            {
                var fault = After is { } after ? await after(exchange.Text, exchange.Fault) : exchange.Fault;
                if (fault == FaultKind.CutAfter)
                    return;
                if (fault == FaultKind.SilentAfter)
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Stopping);
            }

            isReady |= message[0] == (byte)'Z';
            // Besides complete answers, what the client waits for before it sends more: the start of a COPY, authentication, notifications.
            if (message[0] is (byte)'Z' or (byte)'G' or (byte)'H' or (byte)'R' or (byte)'A')
            {
                await SendAsync(client, held.ToArray(), Stopping);
                held.SetLength(0);
            }
        }
    }

    private async Task<byte[]?> ReadMessageAsync(Socket socket)
    {
        var head = new byte[5];
        if (!await TryReadAsync(socket, head, Stopping))
            return null;
        var message = new byte[1 + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        head.CopyTo(message, 0);
        return await TryReadAsync(socket, message.AsMemory(5), Stopping) ? message : null;
    }

    /// <summary>Collects the text of what a message executes.</summary>
    private static void Note(byte[] message, Dictionary<string, string> prepared, StringBuilder text)
    {
        var body = message.AsSpan(5);
        switch (message[0])
        {
            case (byte)'Q':
                text.Append(ReadText(body, out _)).Append('\n');
                break;
            case (byte)'P':
                var name = ReadText(body, out var end);
                prepared[name] = ReadText(body[end..], out _);
                break;
            case (byte)'B':
                ReadText(body, out var portal);
                text.Append(prepared.GetValueOrDefault(ReadText(body[portal..], out _))).Append('\n');
                break;
        }
    }

    private static string ReadText(ReadOnlySpan<byte> bytes, out int end)
    {
        var length = bytes.IndexOf((byte)0);
        end = length + 1;
        return Encoding.UTF8.GetString(bytes[..length]);
    }
}
