using System.Globalization;
using System.Text.RegularExpressions;

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>Something that runs, or that others connect to.</summary>
    public interface IResource
    {
        string Name { get; }
    }

    public interface IResourceWithEnvironment : IResource;

    public interface IResourceWithArgs : IResource;

    public interface IResourceWithEndpoints : IResource;

    public interface IResourceWithWaitSupport : IResource;

    public interface IResourceWithConnectionString : IResource
    {
        ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default);
    }

    public abstract partial class Resource : IResource
    {
        private const int LongestName = 64;

        protected Resource(string name)
        {
            if (name.Length > LongestName || !ValidName().IsMatch(name))
                throw new ArgumentException(
                    $"'{name}' is no name for a resource: 1 to {LongestName} letters, digits and single hyphens, starting with a letter.",
                    nameof(name));
            Name = name;
        }

        public string Name { get; }

        /// <summary>Resources that must be healthy before this one starts.</summary>
        internal List<IResource> WaitsFor { get; } = [];

        [GeneratedRegex("^[a-zA-Z](?:-?[a-zA-Z0-9])*$")]
        private static partial Regex ValidName();
    }

    public sealed class ParameterResource : Resource
    {
        private readonly Func<string> _value;

        internal ParameterResource(string name, Func<string> value)
            : base(name) => _value = value;

        public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken) => new(_value());
    }

    public sealed class PostgresServerResource : Resource, IResourceWithConnectionString, IResourceWithWaitSupport
    {
        internal PostgresServerResource(string name)
            : base(name)
        {
        }

        internal int Port { get; set; }

        internal List<PostgresDatabaseResource> Databases { get; } = [];

        /// <summary>Known once it runs.</summary>
        internal TaskCompletionSource<string> Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
            new(Started.Task.WaitAsync(cancellationToken)!);
    }

    public sealed class PostgresDatabaseResource : Resource, IResourceWithConnectionString
    {
        internal PostgresDatabaseResource(string name, string databaseName, PostgresServerResource parent)
            : base(name)
        {
            DatabaseName = databaseName;
            Parent = parent;
        }

        public string DatabaseName { get; }

        public PostgresServerResource Parent { get; }

        public async ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default)
        {
            var server = await Parent.GetConnectionStringAsync(cancellationToken);
            return new Npgsql.NpgsqlConnectionStringBuilder(server) { Database = DatabaseName }.ConnectionString;
        }
    }

    public sealed class RedisResource : Resource, IResourceWithConnectionString, IResourceWithWaitSupport
    {
        internal RedisResource(string name)
            : base(name)
        {
        }

        internal int Port { get; set; }

        /// <summary>Known once it runs.</summary>
        internal TaskCompletionSource<string> Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
            new(Started.Task.WaitAsync(cancellationToken)!);
    }

    public sealed class ProjectResource : Resource,
        IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithServiceDiscovery, IResourceWithWaitSupport
    {
        internal ProjectResource(string name, ILocalProject project)
            : base(name) => Project = project;

        internal ILocalProject Project { get; }

        internal int Replicas { get; set; } = 1;

        internal List<EndpointReference> Endpoints { get; } = [];

        internal List<string> Arguments { get; } = [];

        /// <summary>In the order of the calls; a later one goes before an earlier one.</summary>
        internal List<Func<IDictionary<string, string>, CancellationToken, Task>> Environment { get; } = [];

        internal string? HealthPath { get; set; }
    }

    /// <summary>Where a resource listens.</summary>
    public sealed class EndpointReference
    {
        internal EndpointReference(IResourceWithEndpoints owner, string name, int port)
        {
            Resource = owner;
            EndpointName = name;
            Port = port;
        }

        public IResourceWithEndpoints Resource { get; }

        public string EndpointName { get; }

        public int Port { get; }

        public string Url => string.Create(CultureInfo.InvariantCulture, $"http://localhost:{Port}");
    }
}

namespace Aspire.Hosting
{
    using Aspire.Hosting.ApplicationModel;

    public interface IResourceWithServiceDiscovery : IResource;

    /// <summary>A connection string that is given, not made by a resource of ours.</summary>
    public sealed class ConnectionStringResource : Resource, IResourceWithConnectionString, IResourceWithWaitSupport
    {
        private readonly Func<string> _value;

        internal ConnectionStringResource(string name, Func<string> value)
            : base(name) => _value = value;

        public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => new(_value());
    }

    /// <summary>A project that this one starts. <c>Projects.X</c> implement it.</summary>
    public interface IProjectMetadata
    {
        string ProjectPath { get; }
    }

    /// <summary>What the build tells the local host beyond that.</summary>
    public interface ILocalProject : IProjectMetadata
    {
        /// <summary>The built assembly.</summary>
        string AssemblyPath { get; }
    }
}
