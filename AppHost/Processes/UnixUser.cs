using System.Globalization;

namespace Darkroom.AppHost.Processes;

/// <summary>A user of this machine, as /etc/passwd has it.</summary>
internal sealed record UnixUser(string Name, uint Id, uint Group)
{
    /// <summary>Whom root becomes to run a server that refuses root: Postgres' own user where there is one, else the user for such things.</summary>
    public static UnixUser ForServers() =>
        Find("postgres") ?? Find("_postgres") ?? Find("nobody")
        ?? throw new InvalidOperationException(
            "Postgres refuses to run as root, and this machine has neither a user postgres nor nobody. Start the AppHost as a plain user.");

    public static UnixUser? Find(string name) => ReadAll().FirstOrDefault(user => user.Name == name);

    private static IEnumerable<UnixUser> ReadAll() =>
        from line in File.ReadLines("/etc/passwd")
        let fields = line.Split(':')
        where fields.Length >= 4 && uint.TryParse(fields[2], out _) && uint.TryParse(fields[3], out _)
        select new UnixUser(
            fields[0], uint.Parse(fields[2], CultureInfo.InvariantCulture), uint.Parse(fields[3], CultureInfo.InvariantCulture));
}
