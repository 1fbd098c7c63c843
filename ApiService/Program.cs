using Darkroom.Api;

return await ApiApp.RunAsync(args);
