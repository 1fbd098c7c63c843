namespace Darkroom.AppHost.Hosting;

/// <summary>Something that the person at the console can put right; the message says how.</summary>
public sealed class SettingException(string message) : Exception(message);
