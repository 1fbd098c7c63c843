Darkroom.AppHost.Local.Processes.Launcher.RunIfAsked(args);
