using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Darkroom.Tests.Faults;

/// <summary>
/// Linux namespaces belong to a thread, and to the sockets and processes that it creates. So a thread that enters one and creates something
/// there is enough: neither this process nor the product needs to know.
/// </summary>
internal static partial class Namespaces
{
    private const int NewNetwork = 0x40000000;
    private const int NewMounts = 0x00020000;
    private const nuint Bind = 0x1000;
    private const nuint Private = 0x40000;
    private const nuint Recursive = 0x4000;

    /// <summary>Runs the function on a new thread that has entered a namespace.</summary>
    public static T Run<T>(Action enter, Func<T> create)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                enter();
                result = create();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException(failure.Message, failure);
    }

    /// <summary>Moves this thread to a network namespace, which is given by its file.</summary>
    public static void EnterNetwork(string path)
    {
        using var file = File.OpenHandle(path);
        Check(SetNamespace(file, NewNetwork));
    }

    /// <summary>Gives this thread a view of the file system in which one file is replaced by another.</summary>
    public static void Replace(string path, string by)
    {
        Check(Unshare(NewMounts));
        // Otherwise the machine would see it too.
        Check(Mount("none", "/", null, Recursive | Private, 0));
        Check(Mount(by, path, null, Bind, 0));
    }

    private static void Check(int result)
    {
        if (result != 0)
            throw new Win32Exception();
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle file, int kind);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int kinds);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string? type, nuint flags, nint data);
}
