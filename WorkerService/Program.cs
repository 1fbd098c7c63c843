using Darkroom.Images.Decoders;
using Darkroom.Worker;

if (args is [DecoderProgram.Verb, .. var limits])
    return DecoderHost.Run(limits);
SchedulerShare.TakeOwn();
await WorkerApp.Build(args).RunUntilStoppedAsync();
return 0;
