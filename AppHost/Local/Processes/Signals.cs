namespace Darkroom.AppHost.Local.Processes;

/// <summary>Signal numbers that Linux and macOS share.</summary>
internal static class Signals
{
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Kill = 9;
    public const int BrokenPipe = 13;
    public const int Terminate = 15;
}
