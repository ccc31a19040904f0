"""Takes payonce's messages over HTTP. Each has its effect on the shop's database exactly once.

Environment: INBOX_SECRETS, the signing secret (during a rotation the new one and the old one, with a space between
them); INBOX_DATABASE, a file with the tables of ../schema.sql; INBOX_PORT, where to listen, 0 for any free port.
"""

import os
import re
import sqlite3
import sys
import traceback
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 4 * 1024 * 1024


# [inbox]
def verifiers(secrets):
    """What verifies by these secrets. The package takes any text for a secret, a public key (whpk_…) too: whoever
    knows that could sign."""
    if not secrets or not all(re.fullmatch(r"whsec_[A-Za-z0-9+/]{32,}={0,2}", secret) for secret in secrets):
        sys.exit("INBOX_SECRETS: expected secrets (whsec_…, of 24 bytes or more) with a space between two of them")
    return [Webhook(secret) for secret in secrets]


SECRETS = verifiers(os.environ.get("INBOX_SECRETS", "").split())


def verified(body, headers):
    """The message, if one of the secrets signed these very bytes in the last five minutes; else None."""
    for secret in SECRETS:
        try:
            return secret.verify(body, headers)
        except (WebhookVerificationError, ValueError):
            # ValueError: what claims to be a signature is no base64, or the body no UTF-8.
            continue
    return None


def take(database, message_id, message):
    """Has the effect of a message that had none yet. The inbox's row and the effect are committed together."""
    with database:  # commits at its end; an exception undoes everything
        database.execute("BEGIN IMMEDIATE")
        added = database.execute("INSERT INTO inbox (id) VALUES (?) ON CONFLICT (id) DO NOTHING", (message_id,))
        if added.rowcount == 1:
            effect(database, message)


def effect(database, message):
    """What the shop does. It is free to add to what is there: for each message it is committed once."""
    if message["type"] != "payment.succeeded":
        return
    paid = message["data"]
    touched = database.execute(
        "UPDATE shop_orders SET payments = payments + 1, paid_fen = paid_fen + ? WHERE no = ?",
        (paid["amount"], paid["out_trade_no"]),
    )
    if touched.rowcount != 1:
        raise LookupError(f"there is no order {paid['out_trade_no']}")


def answer(database, body, headers):
    """The status: 2xx once it is committed, and only then."""
    message = verified(body, headers)
    if message is None:
        return 401
    take(database, headers["webhook-id"], message)
    return 204
# [/inbox]


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            return self.say(413)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            with closing(sqlite3.connect(os.environ["INBOX_DATABASE"], isolation_level=None)) as database:
                status = answer(database, body, headers)
        except Exception:
            # payonce sends it again.
            traceback.print_exc()
            status = 500
        self.say(status)

    def say(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("INBOX_PORT", "8000"))), Receiver)
    print("listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
