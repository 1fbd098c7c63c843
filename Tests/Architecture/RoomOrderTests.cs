using System.Reflection;
using Darkroom.Api;
using Darkroom.Requests;
using Darkroom.Worker;
using NetArchTest.Rules;

namespace Darkroom.Tests.Architecture;

/// <summary>
/// The rooms of each project in order: a room is a top-level folder and namespace, and uses only rooms listed before it.
/// A new room takes its place here.
/// </summary>
public sealed class RoomOrderTests
{
    private static readonly Rooms Workflows = new(typeof(RequestStatus).Assembly, "Darkroom",
        "Configuration", "Data", "Telemetry", "Protection", "Access", "Leases", "Egress", "Csv", "Storage", "Requests", "Images", "Engine", "Webhooks",
        "Bookmarks", "Queue", "Runs", "Uploads", "Retention", "Activities");

    private static readonly Rooms Api = new(typeof(ApiApp).Assembly, "Darkroom.Api",
        "Problems", "Server", "Access", "RateLimits", "Links", "Webhooks", "Requests", "Elsa", "Pages", "Studio", "Reference");

    private static readonly Rooms Worker = new(typeof(WorkerApp).Assembly, "Darkroom.Worker",
        "Queue", "Images", "Instances", "Webhooks");

    private static readonly Rooms[] Projects = [Workflows, Api, Worker];

    public static TheoryData<string, string> EveryRoom
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var project in Projects)
                foreach (var room in project.Order)
                    data.Add(project.Root, room);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(EveryRoom))]
    public void A_room_uses_only_rooms_before_it(string root, string room)
    {
        var rooms = Projects.Single(rooms => rooms.Root == root);
        var later = rooms.Order.SkipWhile(name => name != room).Skip(1).Select(name => $"{root}.{name}").ToArray();

        var types = rooms.TypesOf(room);

        Assert.NotEmpty(types.GetTypes());
        if (later.Length > 0)
            AssertHolds(types.ShouldNot().HaveDependencyOnAny(later));
    }

    [Fact]
    public void Every_room_has_its_place_in_the_order()
    {
        foreach (var rooms in Projects)
            Assert.Equal(rooms.Order.Order(), rooms.Found.Order());
    }

    [Fact]
    public void The_engine_knows_no_database() =>
        AssertHolds(Workflows.TypesOf("Engine").ShouldNot().HaveDependencyOnAny(
            "Npgsql.NpgsqlDataSource", "Npgsql.NpgsqlCommand", "Npgsql.NpgsqlBatch", "Npgsql.NpgsqlDataReader", "StackExchange.Redis"));

    /// <summary>The services use the library; it must not know them. Services must not know each other.</summary>
    [Fact]
    public void Services_stand_apart()
    {
        AssertHolds(Types.InAssembly(Workflows.Assembly).ShouldNot().HaveDependencyOnAny("Darkroom.Api", "Darkroom.Worker", "Darkroom.AppHost"));
        AssertHolds(Types.InAssembly(Api.Assembly).ShouldNot().HaveDependencyOnAny("Darkroom.Worker", "Darkroom.AppHost"));
        AssertHolds(Types.InAssembly(Worker.Assembly).ShouldNot().HaveDependencyOnAny("Darkroom.Api", "Darkroom.AppHost"));
    }

    private static void AssertHolds(ConditionList rule)
    {
        var result = rule.GetResult();
        Assert.True(result.IsSuccessful,
            string.Join('\n', (result.FailingTypes ?? []).Select(type => $"{type.FullName}: {type.Explanation}")));
    }

    private sealed record Rooms(Assembly Assembly, string Root, params string[] Order)
    {
        public PredicateList TypesOf(string room) =>
            Types.InAssembly(Assembly).That().ResideInNamespaceMatching($"^{Root.Replace(".", @"\.")}\\.{room}(\\.|$)");

        /// <summary>The first part of every namespace below the root.</summary>
        public IEnumerable<string> Found =>
            from type in Assembly.GetTypes()
            where type.Namespace?.StartsWith(Root + '.', StringComparison.Ordinal) == true
            group type by type.Namespace![(Root.Length + 1)..].Split('.')[0] into room
            select room.Key;
    }
}
