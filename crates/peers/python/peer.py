"""The SDK wechatpayv3 as a peer: reads {"task", "given"} a line, answers {"answer"} or {"error"} a line.

What the SDK does itself is left to it. It neither seals nor signs as WeChat Pay; for that `sign_callback` takes the
SDK's own signing function with WeChat Pay's key, and `seal` the cipher that the SDK opens with.
"""

import base64
import json
import os
import pathlib
import queue
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wechatpayv3 import SignType, WeChatPay, WeChatPayType, utils
from wechatpayv3.core import Core

settings = {}
sdk = None


def configure(given):
    global sdk
    settings.update(given)
    sdk = make(public_key=given["platform_public_pem"], public_key_id=given["platform_serial"])


def make(**platform):
    return WeChatPay(
        wechatpay_type=WeChatPayType.JSAPI,
        mchid=settings["mchid"],
        appid=settings["appid"],
        private_key=settings["merchant_private_pem"],
        cert_serial_no=settings["merchant_serial"],
        apiv3_key=settings["apiv3_key"],
        **platform,
    )


def body(given):
    return base64.b64decode(given["body"])


def verify(given):
    return sdk._core._verify_signature(given["headers"], body(given).decode())


def verify_by_certificate(given):
    """The SDK finds the certificate by the serial that it reads from it."""
    no_download = mock.patch("wechatpayv3.core.Core._update_certificates")
    with tempfile.TemporaryDirectory() as folder, no_download:
        pathlib.Path(folder, "certificate.pem").write_text(given["certificate_pem"])
        return make(cert_dir=folder)._core._verify_signature(given["headers"], body(given).decode())


def certificate_serial(given):
    """As the SDK writes it into Wechatpay-Serial."""
    certificate = utils.load_certificate(given["certificate_pem"])
    return hex(certificate.serial_number)[2:].upper()


def open_callback(given):
    return sdk.decrypt_callback(given["headers"], body(given))


def sign_callback(given):
    key = utils.load_private_key(settings["their_platform_private_pem"])
    message = "%s\n%s\n%s\n" % (given["timestamp"], given["nonce"], body(given).decode())
    return utils.rsa_sign(key, message)


def seal(given):
    cipher = AESGCM(settings["apiv3_key"].encode())
    sealed = cipher.encrypt(given["nonce"].encode(), given["plaintext"].encode(), given["associated_data"].encode())
    return base64.b64encode(sealed).decode()


def authorization(given):
    with mock.patch("time.time", return_value=given["timestamp"]):
        return utils.build_authorization(
            path=given["url"],
            method=given["method"],
            mchid=settings["mchid"],
            serial_no=settings["merchant_serial"],
            private_key=sdk._core._private_key,
            data=given["body"],
            nonce_str=given["nonce"],
        )


def pay_sign(given):
    return sdk.sign(given["lines"])


def encrypt(given):
    platform = make(public_key=given["public_pem"], public_key_id=settings["platform_serial"])
    return platform._core.encrypt(given["text"])


def decrypt(given):
    return sdk.decrypt(given["ciphertext"])


def hmac_sign(given):
    """The sign of payments by score, which is that of APIv2; its key is the APIv3 key."""
    return sdk.sign(given["fields"], SignType.HMAC_SHA256)


def connect(given):
    """The SDK has no option for WeChat Pay's host: its constant is replaced, before it downloads certificates."""
    Core._gate_way = property(lambda self: given["base_url"], lambda self, host: None)
    os.environ["no_proxy"] = "127.0.0.1"
    key = given["public_key"]
    settings.update(given)
    global sdk
    sdk = make(public_key=key["pem"], public_key_id=key["id"]) if key else make()


class Receiver(BaseHTTPRequestHandler):
    """The merchant's backend: takes what the SDK verifies and opens, and refuses all else."""

    received = queue.Queue()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            notice = sdk.callback(self.headers, body)
        except Exception:
            notice = None
        if notice:
            self.received.put(notice)
        self.send_response(204 if notice else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


def listen(_):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d/notify" % server.server_address[1]


def received(_):
    return Receiver.received.get()


def answered(answer):
    status, body = answer
    return {"status": status, "body": json.loads(body) if body else None}


def place(given):
    return answered(sdk.pay(
        description=given["description"],
        out_trade_no=given["out_trade_no"],
        amount={"total": given["amount_fen"], "currency": "CNY"},
        notify_url=given["notify_url"],
        payer={"openid": given["openid"]} if given["kind"] == "jsapi" else None,
        pay_type=WeChatPayType[given["kind"].upper()],
    ))


def query(given):
    return answered(sdk.query(out_trade_no=given["out_trade_no"]))


def close(given):
    return answered(sdk.close(out_trade_no=given["out_trade_no"]))


def refund(given):
    return answered(sdk.refund(
        out_refund_no=given["out_refund_no"],
        out_trade_no=given["out_trade_no"],
        amount={"refund": given["refund_fen"], "total": given["total_fen"], "currency": "CNY"},
        notify_url=given["notify_url"],
    ))


def query_refund(given):
    return answered(sdk.query_refund(out_refund_no=given["out_refund_no"]))


TASKS = [
    connect, listen, received, place, query, close, refund, query_refund,
    configure, verify, verify_by_certificate, certificate_serial, open_callback, sign_callback, seal, authorization,
    pay_sign, encrypt, decrypt, hmac_sign,
]


def main():
    tasks = {task.__name__: task for task in TASKS}
    for line in sys.stdin.buffer:
        question = json.loads(line)
        try:
            said = {"answer": tasks[question["task"]](question["given"])}
        except Exception as error:
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


main()
