using Darkroom.Api.Access;

namespace Darkroom.Api;

/// <summary><c>--help</c>: what the command line can do.</summary>
internal static class Help
{
    public static bool IsRequested(string[] args) => args.Any(argument => argument is "--help" or "-h" or "-?");

    public static int Write(TextWriter console)
    {
        console.WriteLine(
            $"""
            Darkroom's API. Usage: dotnet ApiService.dll [settings | command]

            Without a command it serves until it is stopped. Settings are written --Section:Name=value, or Section__Name=value in the
            environment. It needs ConnectionStrings:darkroom, ConnectionStrings:s3 and Links:BaseUrl; the README lists the most common others.

            The commands need only ConnectionStrings__darkroom, in the environment:

            {KeysCommand.Usage}
            """);
        return 0;
    }
}
