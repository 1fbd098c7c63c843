using System.Reflection;
using System.Text.Json;

namespace Darkroom.Tests.Architecture;

/// <summary>Everything by others that the services ship is listed with its version and licence.</summary>
public sealed class NoticesTests
{
    private static readonly string Notices = File.ReadAllText(Path.Combine(Root, "ServiceDefaults", "Notices", "THIRD-PARTY-NOTICES"));

    private static string Root => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Metadata("ApiService"))!, "..", "..", "..", ".."));

    [Theory]
    [InlineData("ApiService")]
    [InlineData("WorkerService")]
    public void Every_package_of_a_service_is_listed_with_its_version_and_licence(string service)
    {
        var assembly = Metadata(service);
        var listed = File.ReadLines(Path.Combine(Path.GetDirectoryName(assembly)!, "THIRD-PARTY-PACKAGES"))
            .Select(line => line.Split(" | ")).ToDictionary(parts => parts[0], parts => parts[1]);
        using var dependencies = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(assembly, ".deps.json")));

        var shipped = dependencies.RootElement.GetProperty("targets").EnumerateObject().Single().Value.EnumerateObject()
            .Where(library => dependencies.RootElement.GetProperty("libraries").GetProperty(library.Name).GetProperty("type").ValueEquals("package"))
            .Where(library => new[] { "runtime", "native", "runtimeTargets" }.Any(assets => library.Value.TryGetProperty(assets, out _)))
            .Select(library => library.Name.Replace('/', ' ')).ToList();

        Assert.InRange(shipped.Count, 30, 500);
        Assert.Contains(shipped, name => name.StartsWith("NetVips.Native.", StringComparison.Ordinal));
        Assert.DoesNotContain(shipped, name => !listed.ContainsKey(name));
        Assert.All(listed, package => Assert.False(string.IsNullOrWhiteSpace(package.Value), package.Key));
    }

    [Fact]
    public void Every_library_inside_libvips_is_named()
    {
        var version = VersionOf("NetVips.Native");
        var folder = Directory.EnumerateDirectories(Metadata("NuGetPackages"), "netvips.native.*").Select(package => Path.Combine(package, version)).First(Directory.Exists);
        using var libraries = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "versions.json")));

        var names = libraries.RootElement.EnumerateObject().Select(library => library.Name).ToList();

        Assert.InRange(names.Count, 15, 100);
        Assert.DoesNotContain(names, name => !Libvips().Contains(name, StringComparison.Ordinal));
        Assert.Contains($"NetVips.Native {version} ", Notices, StringComparison.Ordinal);
        Assert.Contains($"NetVips {VersionOf("NetVips")} ", Notices, StringComparison.Ordinal);
    }

    [Fact]
    public void Studio_is_named_with_the_version_that_is_installed()
    {
        using var package = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, "ApiService", "Studio", "package.json")));

        var studio = Assert.Single(package.RootElement.GetProperty("dependencies").EnumerateObject());

        Assert.Contains($"{studio.Name} {studio.Value.GetString()} ", Notices, StringComparison.Ordinal);
    }

    private static string Libvips()
    {
        var start = Notices.IndexOf("2. libvips", StringComparison.Ordinal);
        return Notices[start..Notices.IndexOf("3. Other packages", start, StringComparison.Ordinal)];
    }

    private static string VersionOf(string package) =>
        System.Xml.Linq.XDocument.Load(Path.Combine(Root, "Directory.Packages.props")).Descendants("PackageVersion")
            .Single(version => (string?)version.Attribute("Include") == package).Attribute("Version")!.Value;

    private static string Metadata(string key) =>
        typeof(NoticesTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == key).Value!;
}
