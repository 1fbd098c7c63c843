using Darkroom.Api;

SchedulerShare.TakeOwn();
return await ApiApp.RunAsync(args);
