using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Darkroom.AppHost.Hosting;

/// <summary>Picks ports for servers that another process will start a little later.</summary>
internal static class FreePort
{
    // Below the ephemeral range (Linux: from 32768): an outgoing connection could take such a port before the server listens on it.
    private const int First = 10000;
    private const int Last = 32767;

    /// <summary>A random port on 127.0.0.1 that is free right now. Random, so that two callers are unlikely to get the same one.</summary>
    /// <exception cref="SocketException">No free port was found.</exception>
    public static int Find()
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = RandomNumberGenerator.GetInt32(First, Last + 1);
            try
            {
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException) when (attempt < 100)
            {
                // In use; try another.
            }
        }
    }
}
