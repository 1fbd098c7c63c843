namespace Darkroom.AppHost.Local.Postgres;

/// <summary>The port that something was to listen on is another program's.</summary>
public sealed class PortTakenException(string message) : Exception(message);
