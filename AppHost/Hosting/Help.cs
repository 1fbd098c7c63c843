namespace Darkroom.AppHost.Hosting;

/// <summary><c>--help</c>: what this host can be told.</summary>
internal static class Help
{
    public static bool IsWanted(string[] args) => args.Any(argument => argument is "--help" or "-h" or "-?");

    public static int Write(TextWriter console)
    {
        console.WriteLine(
            """
            Runs Darkroom on this machine: Postgres, Redis, S3, API, workers, sample photos, and the Aspire dashboard.

              dotnet run --project AppHost [-- settings]
              dotnet run --project AppHost -- --publisher manifest --output-path <file>    write the Aspire manifest for a deployment

            Settings, as --Name=value, or in the environment with __ for the colon:

            """);
        foreach (var (name, standard, meaning) in HostSettings.All)
            console.WriteLine($"  --{name,-28} {standard,-12} {meaning}");
        console.WriteLine(
            """

            The services read the environment too: Images__CodecSlots=1, for one. The README lists what people change most.
            """);
        return 0;
    }
}
