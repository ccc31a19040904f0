// Takes payonce's messages over HTTP. Each has its effect on the shop's database exactly once.
//
// Environment: INBOX_SECRETS, the signing secret (during a rotation the new one and the old one, with a space between
// them); INBOX_DATABASE, a file with the tables of ../schema.sql; ASPNETCORE_URLS, where to listen.

using System;
using System.Data.Common;
using System.IO;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;

byte[][] keys = Inbox.Keys(Environment.GetEnvironmentVariable("INBOX_SECRETS") ?? "");
string database = "Data Source=" + Environment.GetEnvironmentVariable("INBOX_DATABASE");
WebApplication app = WebApplication.CreateBuilder(args).Build();

// [program]
app.MapPost("/payonce", async (HttpRequest request) =>
{
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer); // the bytes as they came: what a model binder made of them is not signed
    byte[] body = buffer.ToArray();
    string Header(string name) => request.Headers[name].ToString();
    string id = Header("webhook-id");
    if (!Inbox.Verified(keys, id, Header("webhook-timestamp"), Header("webhook-signature"), body))
    {
        return Results.StatusCode(401);
    }
    using JsonDocument message = JsonDocument.Parse(body);
    using var connection = new SqliteConnection(database);
    connection.Open();
    // What is thrown becomes 500, and payonce sends it again.
    Inbox.Take(connection, id, transaction => Effect(transaction, message.RootElement));
    return Results.StatusCode(204);
});

// What the shop does.
static void Effect(DbTransaction transaction, JsonElement message)
{
    if (message.GetProperty("type").GetString() != "payment.succeeded")
    {
        return;
    }
    JsonElement paid = message.GetProperty("data");
    string order = paid.GetProperty("out_trade_no").GetString()!;
    const string Update =
        "UPDATE shop_orders SET payments = payments + 1, paid_fen = paid_fen + @fen WHERE no = @no";
    if (Inbox.Execute(transaction, Update, ("@fen", paid.GetProperty("amount").GetInt64()), ("@no", order)) != 1)
    {
        throw new InvalidOperationException($"there is no order {order}");
    }
}
// [/program]

app.Run();
