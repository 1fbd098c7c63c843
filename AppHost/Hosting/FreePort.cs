using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Darkroom.AppHost.Hosting;

/// <summary>Ports for servers that somebody else starts a while later.</summary>
internal static class FreePort
{
    // Below the range that systems take for outgoing connections (Linux: from 32768): such a port may be gone before anybody listens on it.
    private const int First = 10000;
    private const int Last = 32767;

    /// <summary>A port of 127.0.0.1 that was free a moment ago, any of many, so that two who ask hardly get the same.</summary>
    /// <exception cref="SocketException">There is none.</exception>
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
                // Somebody's.
            }
        }
    }
}
