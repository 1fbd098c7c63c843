using System.Globalization;
using Darkroom.Benchmarks;
using Darkroom.Benchmarks.Access;
using Darkroom.Benchmarks.Codec;
using Darkroom.Benchmarks.Compare;
using Darkroom.Benchmarks.Csv;
using Darkroom.Benchmarks.Fairness;
using Darkroom.Benchmarks.Load;
using Darkroom.Benchmarks.Loops;
using Darkroom.Benchmarks.Memory;
using Darkroom.Benchmarks.Pipeline;
using Darkroom.Benchmarks.Product;
using Darkroom.Images.Decoders;

var options = BenchmarkOptions.Parse([.. args.Skip(1)]);
switch (args.FirstOrDefault())
{
    case "csv":
        await CsvBenchmark.RunAsync(options.Count(1_000_000));
        return 0;
    case "load":
        await LoadBenchmark.RunAsync(options.Count(1_000_000), options.Rounds);
        return 0;
    case "compare":
        await CompareBenchmark.RunAsync(options);
        return 0;
    case "pipeline":
        await PipelineBenchmark.RunAsync(options);
        return 0;
    case "loops":
        LoopBenchmarks.Run(args[1..]);
        return 0;
    case "memory":
        await MemoryBenchmark.RunAsync(options);
        return 0;
    case "fairness":
        await FairnessBenchmark.RunAsync(options);
        return 0;
    case "overload":
        await OverloadBenchmark.RunAsync(options);
        return 0;
    case "soak":
        await SoakBenchmark.RunAsync(options);
        return 0;
    case "keys":
        await KeyTimingBenchmark.RunAsync(options);
        return 0;
    case "jpeg":
        JpegBenchmark.Run(options);
        return 0;
    case "libraries":
        LibraryBenchmark.Run(options);
        return 0;
    case "containment":
        await ContainmentBenchmark.RunAsync(options);
        return 0;
    case ContainmentBenchmark.Verb:
        ContainmentBenchmark.Serve(args[1], args[2]);
        return 0;
    case DecoderProgram.Verb:
        return DecoderHost.Run(args[1..]);
    case PhotoServer.Verb:
        await PhotoServer.ServeAsync(args[1], int.Parse(args[2], CultureInfo.InvariantCulture));
        return 0;
    case StoreServer.Verb:
        await StoreServer.ServeAsync(bool.Parse(args[1]), int.Parse(args[2], CultureInfo.InvariantCulture));
        return 0;
    default:
        await Console.Error.WriteLineAsync(
            """
            Usage: dotnet run -c Release --project Tests/Benchmarks -- <benchmark>
              csv [rows]                 validates, reads and writes a CSV in memory
              load [rows]                validates a CSV and loads it into Postgres, compared with a raw COPY of the same rows
              pipeline [images] [folder] images per second through the whole system, with photos from the folder
              compare [images] [folder]  the same beside the Node system of DARKROOM_PEER, in turn, as one table
              loops                      inner loops: JPEG, claims, the queue, and a fan-out's body by the kind of expression of an input (BenchmarkDotNet)
              fairness                   how long ten images take, alone and beside thirty slow hosts of another owner
              containment [folder]       CPU time of the decoders per image, compared with calling the codec directly
              jpeg [folder]              speed, bytes and likeness of the JPEG transcoder, compared with libvips and sharp
              libraries [folder]         speed and bytes of ImageSharp, compared with libvips
              overload                   ten images beside 1,000 uploads, 1,000 pollers and 300,000 images of another owner
              soak [minutes]             what grows under mixed load while a worker is killed every minute
              keys [calls]               whether the time of a refusal tells how wrong an API key is
              memory [rows...]           peak memory of API and workers, by size of the CSV
            Options: --workers n, --rounds n, --requests n, --Section:Name=value for the services.
            Environment: DARKROOM_BENCH_CORPUS, a folder of photos; DARKROOM_BENCH_POSTGRES, a connection string for load; DARKROOM_PEER, a folder
            with the Node system in "node", which needs redis-server, PostgreSQL, a user postgres, and root.
            """);
        return 2;
}
