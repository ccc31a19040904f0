// examples/inbox/csharp/Inbox.cs behind an HTTP server that Mono has: its own Program.cs needs ASP.NET, which Debian has
// not. What is tested here is Inbox.cs; the effect stands in both.

using System;
using System.Data.Common;
using System.IO;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using Mono.Data.Sqlite;

public static class Host
{
    static byte[][] keys;
    static readonly string Database = Environment.GetEnvironmentVariable("INBOX_DATABASE");

    public static void Main(string[] arguments)
    {
        keys = Inbox.Keys(Environment.GetEnvironmentVariable("INBOX_SECRETS") ?? "");
        var listener = new HttpListener();
        listener.Prefixes.Add("http://" + arguments[0] + "/");
        listener.Start();
        Console.WriteLine("listening on " + arguments[0]);
        while (true)
        {
            HttpListenerContext context = listener.GetContext();
            ThreadPool.QueueUserWorkItem(_ => Handle(context));
        }
    }

    static void Handle(HttpListenerContext context)
    {
        try
        {
            context.Response.StatusCode = Answer(context.Request);
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
            context.Response.StatusCode = 500;
        }
        context.Response.Close();
    }

    static int Answer(HttpListenerRequest request)
    {
        var buffer = new MemoryStream();
        request.InputStream.CopyTo(buffer);
        byte[] body = buffer.ToArray();
        Func<string, string> Header = name => request.Headers[name] ?? "";
        string id = Header("webhook-id");
        if (!Inbox.Verified(keys, id, Header("webhook-timestamp"), Header("webhook-signature"), body))
        {
            return 401;
        }
        string message = Encoding.UTF8.GetString(body);
        using (var connection = new SqliteConnection("Data Source=" + Database + ";Default Timeout=10"))
        {
            connection.Open();
            Inbox.Take(connection, id, transaction => Effect(transaction, message));
        }
        return 204;
    }

    static void Effect(DbTransaction transaction, string message)
    {
        // Mono has no System.Text.Json. The first of each name is that of the message's own data.
        Func<string, string> Field = pattern => Regex.Match(message, pattern).Groups[1].Value;
        string order = Field("\"out_trade_no\":\"([^\"]*)\"");
        const string Update =
            "UPDATE shop_orders SET payments = payments + 1, paid_fen = paid_fen + @fen WHERE no = @no";
        if (Inbox.Execute(transaction, Update, ("@fen", long.Parse(Field("\"amount\":(\\d+)"))), ("@no", order)) != 1)
        {
            throw new InvalidOperationException("there is no order " + order);
        }
    }
}
