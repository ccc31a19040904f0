// Takes payonce's messages over HTTP. Each has its effect on the shop's database exactly once.
//
// Environment: INBOX_SECRETS, the signing secret (during a rotation the new one and the old one, with a space between
// them), whsec_… or, of an ed25519 key, its public half whpk_…; INBOX_DATABASE, a file with the tables of ../schema.sql;
// INBOX_PORT, where to listen, 0 for any free port.
"use strict";

const crypto = require("node:crypto");
const http = require("node:http");
const { DatabaseSync } = require("node:sqlite");
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

const BODY_BYTES_MAX = 4 * 1024 * 1024;

// [ed25519]
// What the package does for shared secrets, for ed25519: a `v1a` signature by this public key over the same bytes.
class Ed25519 {
  constructor(text) {
    const x = Buffer.from(text.slice("whpk_".length), "base64").toString("base64url");
    this.key = crypto.createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  }

  verify(body, headers) {
    const timestamp = headers["webhook-timestamp"] ?? "";
    const age = Date.now() / 1000 - Number(timestamp);
    const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${timestamp}.`), body]);
    const by = (text) => text.startsWith("v1a,") &&
      crypto.verify(null, signed, this.key, Buffer.from(text.slice("v1a,".length), "base64"));
    const signatures = (headers["webhook-signature"] ?? "").split(" ");
    if (!/^\d+$/.test(timestamp) || Math.abs(age) > 300 || !signatures.some(by)) {
      throw new WebhookVerificationError("not signed by this key, or too old");
    }
    return JSON.parse(body);
  }
}
// [/ed25519]

// [inbox]
// What verifies by a secret. The package takes any Base64 for one, however short.
function verifier(secret) {
  if (/^whpk_[A-Za-z0-9+/]{43}=$/.test(secret)) return new Ed25519(secret);
  if (/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)) return new Webhook(secret);
  throw new Error("INBOX_SECRETS: expected whsec_… (of 24 bytes or more) or whpk_…, with a space between two of them");
}

const secrets = (process.env.INBOX_SECRETS ?? "").split(" ").map(verifier);

// The message, if one of the secrets signed these very bytes in the last five minutes; else null. `body` is a Buffer.
function verified(body, headers) {
  for (const secret of secrets) {
    try {
      return secret.verify(body, headers);
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
    }
  }
  return null;
}

// Has the effect of a message that had none yet. The inbox's row and the effect are committed together.
function take(database, id, message) {
  database.exec("BEGIN IMMEDIATE");
  try {
    const insert = database.prepare("INSERT INTO inbox (id) VALUES (?) ON CONFLICT (id) DO NOTHING");
    if (insert.run(id).changes === 1) effect(database, message);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

// What the shop does. It is free to add to what is there: for each message it is committed once.
function effect(database, message) {
  if (message.type !== "payment.succeeded") return;
  const { amount, out_trade_no } = message.data;
  const { changes } = database
    .prepare("UPDATE shop_orders SET payments = payments + 1, paid_fen = paid_fen + ? WHERE no = ?")
    .run(amount, out_trade_no);
  if (changes !== 1) throw new Error(`there is no order ${out_trade_no}`);
}

// The status: 2xx once it is committed, and only then.
function answer(database, body, headers) {
  const message = verified(body, headers);
  if (message === null) return 401;
  take(database, headers["webhook-id"], message);
  return 204;
}
// [/inbox]

const database = new DatabaseSync(process.env.INBOX_DATABASE);
database.exec("PRAGMA busy_timeout = 5000");

const server = http.createServer((request, response) => {
  const chunks = [];
  let bytes = 0;
  request.on("data", (chunk) => {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  });
  request.on("end", () => {
    let status = 500; // payonce sends it again
    try {
      status = bytes > BODY_BYTES_MAX ? 413 : answer(database, Buffer.concat(chunks), request.headers);
    } catch (error) {
      console.error(error);
    }
    response.writeHead(status).end();
  });
});

server.listen(Number(process.env.INBOX_PORT ?? 8000), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
