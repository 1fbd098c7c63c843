namespace Darkroom.AppHost.Hosting;

/// <summary><c>--help</c>: lists the settings of this host.</summary>
internal static class Help
{
    public static bool IsRequested(string[] args) => args.Any(argument => argument is "--help" or "-h" or "-?");

    public static int Write(TextWriter console)
    {
        console.WriteLine(
            """
            Runs Darkroom locally: Postgres, Redis, S3, API, workers, sample photos and the Aspire dashboard.

              dotnet run --project AppHost [-- settings]
              dotnet run --project AppHost -- --publisher manifest --output-path <file>    write the Aspire manifest for a deployment

            Settings, as --Name=value or as environment variables with __ instead of the colon:

            """);
        foreach (var (name, defaultValue, meaning) in HostSettings.All)
            console.WriteLine($"  --{name,-28} {defaultValue,-12} {meaning}");
        console.WriteLine(
            """

            The services read environment variables too, for example Images__CodecSlots=1. The README lists the most common settings.
            """);
        return 0;
    }
}
