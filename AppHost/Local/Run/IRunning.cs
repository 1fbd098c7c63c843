namespace Darkroom.AppHost.Local.Run;

/// <summary>Something that was started, and is stopped in its turn.</summary>
internal interface IRunning
{
    /// <summary>Its processes; none for what runs inside this one.</summary>
    IEnumerable<RunningProcess> Processes { get; }

    Task StopAsync();
}

internal sealed record RunningProcess(string Name, int Pid);
