using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Darkroom.Tests.Faults;

/// <summary>
/// A name server that answers as the test says, for processes that are started with <see cref="Use"/>. They ask the system's resolver as
/// ever.
/// </summary>
internal sealed class NameServer : IAsyncDisposable
{
    private const int Header = 12;
    private const ushort AddressType = 1;
    private const ushort ServerFailure = 2;
    private const string Configuration = "/etc/resolv.conf";

    private static readonly Lazy<string?> Missing = new(FindMissing);
    private static int _servers;

    private readonly UdpClient _socket;
    private readonly string _configuration = Path.GetTempFileName();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, int> _lookups = new();
    private readonly Task _answering;

    public NameServer()
    {
        // The port of name servers cannot be chosen, so each has an address of its own.
        var process = Environment.ProcessId;
        var address = new IPAddress([127, (byte)(64 + ((process >> 8) % 64)), (byte)process, (byte)Interlocked.Increment(ref _servers)]);
        _socket = new UdpClient(new IPEndPoint(address, 53));
        File.WriteAllText(_configuration, $"nameserver {address}\nsearch .\n");
        _answering = AnswerAsync();
    }

    /// <summary>Why processes of this machine or user cannot have a name server of their own, or null.</summary>
    public static string? WhyMissing => Missing.Value;

    /// <summary>What a name resolves to.</summary>
    public Func<string, NameAnswer> Answer { get; set; } = _ => NameAnswer.Failure;

    /// <summary>How often this name was looked up.</summary>
    public int LookupsOf(string name) => _lookups.GetValueOrDefault(name);

    /// <summary>Starts a process that uses this server for all names.</summary>
    public T Use<T>(Func<T> start) => Namespaces.Run(() => Namespaces.Replace(Configuration, _configuration), start);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _answering;
        _socket.Dispose();
        _stop.Dispose();
        File.Delete(_configuration);
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var query = await _socket.ReceiveAsync(_stop.Token);
                if (Read(query.Buffer) is { } answer)
                    await _socket.SendAsync(answer, query.RemoteEndPoint, _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    /// <summary>The answer to a query, or null if there is none.</summary>
    private byte[]? Read(byte[] query)
    {
        var labels = new List<string>();
        var at = Header;
        for (; query[at] > 0; at += 1 + query[at])
            labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
        var (name, type, end) = (string.Join('.', labels), BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 1)), at + 5);
        if (type == AddressType)
            _lookups.AddOrUpdate(name, 1, (_, count) => count + 1);
        var answer = Answer(name);
        if (answer == NameAnswer.None)
            return null;
        // Nothing has an IPv6 address.
        var address = type == AddressType && answer != NameAnswer.Failure ? answer.Address : null;
        var message = new byte[end + (address is null ? 0 : 16)];
        query.AsSpan(0, end).CopyTo(message);
        var rest = message.AsSpan();
        BinaryPrimitives.WriteUInt16BigEndian(rest[2..], (ushort)(0x8180 | (answer == NameAnswer.Failure ? ServerFailure : 0)));
        BinaryPrimitives.WriteUInt16BigEndian(rest[6..], (ushort)(address is null ? 0 : 1));
        // No authorities and nothing additional, whatever the query had.
        rest[8..Header].Clear();
        if (address is not null)
            WriteAddress(rest[end..], address);
        return message;
    }

    private static void WriteAddress(Span<byte> record, IPAddress address)
    {
        // The name is that of the question; the class is IN; to be asked again every time.
        BinaryPrimitives.WriteUInt16BigEndian(record, (ushort)(0xC000 | Header));
        BinaryPrimitives.WriteUInt16BigEndian(record[2..], AddressType);
        BinaryPrimitives.WriteUInt16BigEndian(record[4..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(record[6..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(record[10..], 4);
        address.TryWriteBytes(record[12..], out _);
    }

    private static string? FindMissing()
    {
        if (!OperatingSystem.IsLinux())
            return "A name server of one's own needs the mount namespaces of Linux.";
        try
        {
            return Namespaces.Run(() => Namespaces.Replace(Configuration, Configuration), () => (string?)null);
        }
        catch (InvalidOperationException e)
        {
            return $"A name server of one's own needs the right to mount files (root or CAP_SYS_ADMIN): {e.Message}.";
        }
    }
}

/// <summary>What a name server says about a name.</summary>
internal sealed record NameAnswer(IPAddress? Address)
{
    /// <summary>It does not answer.</summary>
    public static NameAnswer None { get; } = new((IPAddress?)null);

    /// <summary>It cannot tell at present.</summary>
    public static NameAnswer Failure { get; } = new(IPAddress.None);

    public static NameAnswer Of(string address) => new(IPAddress.Parse(address));
}

/// <summary>A test whose processes use a <see cref="NameServer"/>; skipped where they cannot.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NameServerFactAttribute : FactAttribute
{
    public NameServerFactAttribute() => Skip = NameServer.WhyMissing;
}
