using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Faults;

/// <summary>
/// A network of its own for a test: every host is a Linux network namespace with its own address, and all are joined by a bridge in another
/// one. Nothing leads from it to the machine's network, so its addresses can be public ones. Packets from one host to another can be lost
/// without a trace, in one direction or both.
/// </summary>
internal sealed class HostNetwork : IDisposable
{
    private const string Prefix = "darkroom-";
    private const string Bridge = "bridge";
    private const string Folder = "/var/run/netns";
    // No host has it: the bridge delivers to everybody, and everybody ignores it.
    private const string Nobody = "02:00:00:00:00:fe";

    private static readonly Lazy<string?> Missing = new(FindMissing);
    private static int _networks;

    private readonly string _name =
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _networks)}-");
    private readonly List<string> _namespaces = [];
    private readonly string[] _hosts;

    private HostNetwork(string[] hosts) => _hosts = hosts;

    /// <summary>Why this machine or user cannot have such networks, or null.</summary>
    public static string? WhyMissing => Missing.Value;

    public static HostNetwork Create(params string[] hosts)
    {
        DeleteThoseOfDeadProcesses();
        var network = new HostNetwork(hosts);
        try
        {
            network.Build();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A host's address, which counts as public.</summary>
    public IPAddress AddressOf(string host) => new([11, 0, 0, (byte)(1 + Array.IndexOf(_hosts, host))]);

    /// <summary>
    /// Runs the function on a thread that belongs to the host: sockets that it creates, and processes that it starts, are the host's for good.
    /// </summary>
    public T On<T>(string host, Func<T> create) =>
        Namespaces.Run(() => Namespaces.EnterNetwork(Path.Combine(Folder, _name + host)), create);

    /// <summary>From now on what one host sends to another is lost, and no error tells either of them.</summary>
    public void Cut(string from, string to) =>
        Ip("-n", _name + from, "neighbour", "replace", $"{AddressOf(to)}", "lladdr", Nobody, "dev", "eth0", "nud", "permanent");

    /// <summary>Ends a cut.</summary>
    public void Heal(string from, string to) => Ip("-n", _name + from, "neighbour", "delete", $"{AddressOf(to)}", "dev", "eth0");

    public void Dispose()
    {
        foreach (var name in _namespaces)
            Ip("netns", "delete", name);
        _namespaces.Clear();
    }

    private void Build()
    {
        Add(Bridge);
        Ip("-n", _name + Bridge, "link", "add", "name", "br0", "type", "bridge");
        Ip("-n", _name + Bridge, "link", "set", "dev", "br0", "up");
        foreach (var (index, host) in _hosts.Index())
        {
            Add(host);
            var port = string.Create(CultureInfo.InvariantCulture, $"port{index}");
            Ip("-n", _name + Bridge, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", _name + host);
            Ip("-n", _name + Bridge, "link", "set", "dev", port, "master", "br0", "up");
            Ip("-n", _name + host, "address", "add", $"{AddressOf(host)}/24", "dev", "eth0");
            Ip("-n", _name + host, "link", "set", "dev", "eth0", "up");
        }
    }

    private void Add(string host)
    {
        Ip("netns", "add", _name + host);
        _namespaces.Add(_name + host);
        Ip("-n", _name + host, "link", "set", "dev", "lo", "up");
    }

    private static string? FindMissing()
    {
        if (!OperatingSystem.IsLinux())
            return "Hosts apart need the network namespaces of Linux.";
        try
        {
            using var network = Create("a", "b");
            network.Cut("a", "b");
            network.Heal("a", "b");
            network.On("a", () => true);
            return null;
        }
        catch (Win32Exception e)
        {
            return $"Hosts apart need the program ip (Debian: apt-get install iproute2): {e.Message}.";
        }
        catch (InvalidOperationException e)
        {
            return $"Hosts apart need the right to create network namespaces (root or CAP_SYS_ADMIN and CAP_NET_ADMIN): {e.Message}";
        }
    }

    /// <summary>A process that was killed could not delete its own.</summary>
    private static void DeleteThoseOfDeadProcesses()
    {
        if (!Directory.Exists(Folder))
            return;
        foreach (var name in Directory.EnumerateFiles(Folder, Prefix + "*").Select(Path.GetFileName))
            if (int.TryParse(name!.Split('-')[1], CultureInfo.InvariantCulture, out var process) && !ChildProcesses.Exists(process))
                TryDelete(name);
    }

    private static void TryDelete(string name)
    {
        try
        {
            Ip("netns", "delete", name);
        }
        catch (InvalidOperationException)
        {
            // Another run is deleting it as well.
        }
    }

    private static void Ip(params string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var error = ip.StandardError.ReadToEnd().Trim();
        ip.WaitForExit();
        if (ip.ExitCode != 0)
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {error}");
    }
}

/// <summary>A test on a <see cref="HostNetwork"/>; skipped where there can be none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class HostNetworkFactAttribute : FactAttribute
{
    public HostNetworkFactAttribute() => Skip = HostNetwork.WhyMissing;
}
