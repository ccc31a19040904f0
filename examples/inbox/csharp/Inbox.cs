// What makes the effect of payonce's messages happen exactly once: the signature, and the inbox.
//
// It needs .NET's own libraries alone, and any ADO.NET driver; Program.cs puts it behind ASP.NET.

using System;
using System.Data.Common;
using System.Linq;
using System.Security.Cryptography;
using System.Text;

public static class Inbox
{
    // [inbox]
    /// <summary>The keys of these secrets (whsec_…, with a space between two of them). Refuses what is none.</summary>
    public static byte[][] Keys(string secrets)
    {
        return secrets.Split(' ').Select(Key).ToArray();
    }

    static byte[] Key(string secret)
    {
        const string Prefix = "whsec_";
        bool isShared = secret.StartsWith(Prefix, StringComparison.Ordinal);
        byte[] key = isShared ? Convert.FromBase64String(secret.Substring(Prefix.Length)) : new byte[0];
        // An empty key, or a short one, would be known to everybody.
        return key.Length >= 24
            ? key
            : throw new ArgumentException("INBOX_SECRETS: expected whsec_…, of 24 bytes or more, with a space between two");
    }

    /// <summary>Whether one of the keys signed these very bytes in the last five minutes.</summary>
    public static bool Verified(byte[][] keys, string id, string timestamp, string signatures, byte[] body)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        if (!long.TryParse(timestamp, out long seconds) || seconds < now - 300 || seconds > now + 300)
        {
            return false;
        }
        byte[] signed = Encoding.UTF8.GetBytes($"{id}.{timestamp}.").Concat(body).ToArray();
        foreach (byte[] key in keys)
        {
            using (var hmac = new HMACSHA256(key))
            {
                byte[] ours = Encoding.ASCII.GetBytes("v1," + Convert.ToBase64String(hmac.ComputeHash(signed)));
                foreach (string signature in signatures.Split(' '))
                {
                    // In constant time.
                    if (CryptographicOperations.FixedTimeEquals(ours, Encoding.UTF8.GetBytes(signature)))
                    {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /// <summary>
    /// Has the effect of a message that had none yet. The inbox's row and the effect are committed together. The effect
    /// is free to add to what is there: for each message it is committed once.
    /// </summary>
    public static void Take(DbConnection database, string id, Action<DbTransaction> effect)
    {
        using (DbTransaction transaction = database.BeginTransaction()) // undone unless it is committed
        {
            const string Insert = "INSERT INTO inbox (id) VALUES (@id) ON CONFLICT (id) DO NOTHING";
            if (Execute(transaction, Insert, ("@id", id)) == 1)
            {
                effect(transaction);
            }
            transaction.Commit();
        }
    }

    /// <summary>Executes a statement, and returns how many rows it touched.</summary>
    public static int Execute(DbTransaction transaction, string sql, params (string Name, object Value)[] parameters)
    {
        using (DbCommand command = transaction.Connection.CreateCommand())
        {
            command.Transaction = transaction;
            command.CommandText = sql;
            foreach (var given in parameters)
            {
                DbParameter parameter = command.CreateParameter();
                parameter.ParameterName = given.Name;
                parameter.Value = given.Value;
                command.Parameters.Add(parameter);
            }
            return command.ExecuteNonQuery();
        }
    }
    // [/inbox]
}
