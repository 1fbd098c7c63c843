using Darkroom.Worker;

await WorkerApp.Build(args).RunAsync();
