using Darkroom.Worker;

await WorkerApp.Build(args).RunUntilStoppedAsync();
