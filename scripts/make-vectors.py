#!/usr/bin/env python3
"""Makes the test vectors in crates/wechatpay/tests/vectors, independently of the Rust code that they test.

Keys, certificates, signatures and SM2 come from the openssl command; AES-GCM, SM4-GCM, SM3 and RSA-OAEP from Python's
`cryptography`, which also checks every RSA signature once more before it is written. The private keys are made for these
tests alone.

    scripts/make-vectors.py [FOLDER]

The RSA keys in FOLDER/keys.json are kept, and with them all that is signed with them; delete that file for new ones.
What is drawn at random (OAEP, SM2, certificates' dates) changes with each run. Needs openssl 3 and Python 3 with
`cryptography`.
"""

import base64
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OUT = pathlib.Path(__file__).resolve().parent.parent / "crates/wechatpay/tests/vectors"

SIGNED_AT = 1_750_000_000
DAYS = 3650
APIV3_KEY = "payonce0test0apiv3key0ABCDEFGHIJ"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012025060100000000000001"
SERIAL_2048 = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567"
SERIAL_4096 = "D7CE59D1F522D701"  # its first bit is set: DER puts a zero byte before it
MERCHANT_SERIAL = "5157F09EFDC096DE15EBE81A47057A72AAAAAAAA"
SM_PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012025060100000000000002"
SM_PLATFORM_SERIAL = "34C6BDA20F2D1E0C9A8B7C6D5E4F30219A0B1C2D"
SM_MERCHANT_SERIAL = "6A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3"
SM_SIGNER = "distid:1234567812345678"
MCHID = "1900000001"
APPID = "wx0123456789abcdef"


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout


def private_key(*options):
    return openssl("genpkey", *options).decode()


def rsa(bits):
    return private_key("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")


def public_pem(private):
    return openssl("pkey", "-pubout", stdin=private.encode()).decode()


def with_key_file(private, command):
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(private)
        file.flush()
        return command(file.name)


def certificate(private, serial, name="payonce test platform", digest=("-sha256",)):
    request = ["req", "-x509", "-new", *digest, "-days", str(DAYS), "-set_serial", "0x" + serial]
    subject = ["-subj", f"/C=CN/O=payonce test/CN={name}"]
    return with_key_file(private, lambda path: openssl(*request, *subject, "-key", path).decode())


def sm_certificate(private, serial, name):
    return certificate(private, serial, name, ("-sm3", "-sigopt", SM_SIGNER))


def validity(pem):
    parsed = x509.load_pem_x509_certificate(pem.encode())
    times = {"starts": parsed.not_valid_before_utc, "expires": parsed.not_valid_after_utc}
    return {name: int(time.timestamp()) for name, time in times.items()}


def sign(private, message):
    signature = with_key_file(private, lambda path: openssl("dgst", "-sha256", "-sign", path, stdin=message))
    key = serialization.load_pem_private_key(private.encode(), None).public_key()
    key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


def sm_sign(private, message):
    def made_and_checked(path):
        signature = openssl("dgst", "-sm3", "-sign", path, "-sigopt", SM_SIGNER, stdin=message)
        with tempfile.NamedTemporaryFile() as file:
            file.write(signature)
            file.flush()
            openssl("dgst", "-sm3", "-prverify", path, "-sigopt", SM_SIGNER, "-signature", file.name, stdin=message)
        return signature
    return base64.b64encode(with_key_file(private, made_and_checked)).decode()


def sm_encrypt(private, plaintext):
    options = ["-encrypt", "-inkey"]
    sealed = with_key_file(private, lambda path: openssl("pkeyutl", *options, path, stdin=plaintext.encode()))
    return base64.b64encode(sealed).decode()


def sm_seal(plaintext, nonce, associated_data, key=APIV3_KEY):
    """AEAD_SM4_GCM: the key is the first half of the APIv3 key's SM3."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(key.encode())
    cipher = Cipher(algorithms.SM4(digest.finalize()[:16]), modes.GCM(nonce.encode())).encryptor()
    cipher.authenticate_additional_data(associated_data.encode())
    sealed = cipher.update(plaintext.encode()) + cipher.finalize() + cipher.tag
    return base64.b64encode(sealed).decode()


def oaep(private, plaintext):
    """RSAES-OAEP with SHA-1 in both places, no label."""
    scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    key = serialization.load_pem_private_key(private.encode(), None).public_key()
    return base64.b64encode(key.encrypt(plaintext.encode(), scheme)).decode()


def seal(plaintext, nonce, associated_data):
    sealed = AESGCM(APIV3_KEY.encode()).encrypt(nonce.encode(), plaintext.encode(), associated_data.encode())
    return base64.b64encode(sealed).decode()


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def make_keys():
    platform, platform_2048, platform_4096, merchant = rsa(2048), rsa(2048), rsa(4096), rsa(2048)
    ec = private_key("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    rsa_1024 = rsa(1024)
    certificate_2048 = certificate(platform_2048, SERIAL_2048)
    not_after = x509.load_pem_x509_certificate(certificate_2048.encode()).not_valid_after_utc
    encrypted = openssl("pkcs8", "-topk8", "-v2", "aes256", "-passout", "pass:test", stdin=merchant.encode())
    return {
        "apiv3_key": APIV3_KEY,
        "public_key": {"id": PUBLIC_KEY_ID, "private_pem": platform, "public_pem": public_pem(platform)},
        "certificate": {
            "serial": SERIAL_2048,
            "private_pem": platform_2048,
            "certificate_pem": certificate_2048,
            "expires": int(not_after.timestamp()),
        },
        "certificate_4096": {
            "serial": SERIAL_4096,
            "private_pem": platform_4096,
            "certificate_pem": certificate(platform_4096, SERIAL_4096),
        },
        "merchant": {
            "serial": MERCHANT_SERIAL,
            "private_pem": merchant,
            "pkcs1_pem": openssl("pkey", "-traditional", stdin=merchant.encode()).decode(),
            "encrypted_pem": encrypted.decode(),
            "public_pem": public_pem(merchant),
            "certificate_pem": certificate(merchant, MERCHANT_SERIAL),
        },
        "rsa_1024": {
            "private_pem": rsa_1024,
            "public_pem": public_pem(rsa_1024),
            "certificate_pem": certificate(rsa_1024, "01"),
        },
        "ec": {"private_pem": ec, "public_pem": public_pem(ec), "certificate_pem": certificate(ec, "02")},
    }


TRANSACTION = {
    "mchid": MCHID,
    "appid": APPID,
    "out_trade_no": "payonce-0001",
    "transaction_id": "4200000000202506150000000001",
    "trade_type": "JSAPI",
    "trade_state": "SUCCESS",
    "trade_state_desc": "支付成功",
    "bank_type": "OTHERS",
    "attach": "桌 7 / \"A\"",
    "success_time": "2025-06-15T23:06:39+08:00",
    "payer": {"openid": "oTestOpenid0000000000000000"},
    "amount": {"total": 100, "payer_total": 90, "currency": "CNY", "payer_currency": "CNY"},
}


def without(value, *names):
    return {name: field for name, field in value.items() if name not in names}


def cases():
    """name, signing key, event type, plaintext object, expected kind, what differs from the ordinary envelope"""
    success, small = "TRANSACTION.SUCCESS", without(TRANSACTION, "attach", "bank_type", "trade_state_desc")
    unknown = TRANSACTION | {"scene_info": {"device_id": "013467007045764"}, "field_of_tomorrow": [1, {"x": None}]}
    unknown["amount"] = TRANSACTION["amount"] | {"settlement_rate": 65000}
    bare = small | {"amount": {"total": 1, "currency": None}, "payer": None, "success_time": None}
    sub_order = {
        "mchid": MCHID, "trade_type": "JSAPI", "trade_state": "SUCCESS", "success_time": "2025-06-15T23:06:39+08:00",
        "transaction_id": "4200000000202506150000000002", "out_trade_no": "payonce-0002",
        "amount": {"total_amount": 10, "payer_amount": 9, "currency": "CNY", "payer_currency": "CNY"},
    }
    combine = {
        "combine_appid": APPID, "combine_mchid": MCHID, "combine_out_trade_no": "c1",
        "sub_orders": [sub_order, sub_order | {"mchid": "1900000003", "out_trade_no": "payonce-0003"}],
        "combine_payer_info": {"openid": "oTestOpenid0000000000000000"},
    }
    partner = without(TRANSACTION, "appid", "mchid", "payer") | {
        "sp_appid": APPID, "sp_mchid": MCHID, "sub_mchid": "1900000002",
        "payer": {"sp_openid": "oTestOpenid0000000000000000"},
    }
    share = {
        "mchid": MCHID, "transaction_id": "42", "order_id": "30", "out_order_no": "s1",
        "receiver": {"type": "MERCHANT_ID", "account": MCHID, "amount": 8, "description": "分账"},
    }
    refund = {
        "mchid": MCHID, "out_trade_no": "payonce-0001", "transaction_id": "42", "out_refund_no": "r1",
        "refund_id": "50", "refund_status": "SUCCESS", "user_received_account": "招商银行信用卡0403",
        "amount": {"total": 100, "refund": 100, "payer_total": 90, "payer_refund": 90},
    }
    return [
        ("ordinary", "public_key", success, TRANSACTION, "transaction", {}),
        ("by certificate", "certificate", success, TRANSACTION, "transaction", {}),
        ("by a certificate with RSA-4096", "certificate_4096", success, TRANSACTION, "transaction", {}),
        ("without signature type", "public_key", success, small, "transaction", {"signature_type": None}),
        ("associated_data empty", "public_key", success, small, "transaction", {"associated_data": ""}),
        ("associated_data absent", "public_key", success, small, "transaction", {"associated_data": None}),
        ("original_type absent", "public_key", success, small, "transaction", {"original_type": None}),
        ("original_type empty", "public_key", success, small, "transaction", {"original_type": ""}),
        ("summary absent", "public_key", success, small, "transaction", {"summary": None}),
        ("unknown fields", "certificate", success, unknown, "transaction", {"extra": {"new": {"a": [1]}}}),
        ("optional fields null", "public_key", success, bare, "transaction", {}),
        ("escaped slashes", "public_key", success, TRANSACTION, "transaction", {"escape": True}),
        ("combine", "public_key", success, combine, "combine", {}),
        ("partner", "public_key", success, partner, "partner", {}),
        ("share movement", "public_key", success, share, "profitsharing", {"original_type": "profitsharing"}),
        ("refund", "certificate", "REFUND.SUCCESS", refund, "refund", {"original_type": "refund"}),
        ("event of tomorrow", "public_key", "TOMORROW.DONE", {"a": 1}, "other", {"original_type": "tomorrow"}),
    ]


def make_callback(keys, number, name, signer, event_type, plaintext, kind, changes):
    plaintext = compact(plaintext)
    nonce = f"nonce{number:07}"
    associated_data = changes.get("associated_data", "transaction")
    resource = {
        "original_type": changes.get("original_type", "transaction"),
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": seal(plaintext, nonce, associated_data or ""),
        "associated_data": associated_data,
        "nonce": nonce,
    }
    envelope = {
        "id": f"00000000-0000-5000-8000-{number:012}",
        "create_time": "2025-06-15T23:06:40+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": changes.get("summary", "支付成功"),
        "resource": {field: value for field, value in resource.items() if value is not None},
    }
    envelope = {field: value for field, value in envelope.items() if value is not None} | changes.get("extra", {})
    body = compact(envelope)
    if changes.get("escape"):  # as PHP writes JSON: every slash and everything beyond ASCII escaped
        body = json.dumps(envelope, separators=(",", ":")).replace("/", "\\/")
    timestamp, header_nonce = str(SIGNED_AT + number), hashlib.sha256(name.encode()).hexdigest()[:32]
    key = keys[signer]
    headers = {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": header_nonce,
        "Wechatpay-Signature": sign(key["private_pem"], f"{timestamp}\n{header_nonce}\n{body}\n".encode()),
        "Wechatpay-Serial": key.get("id") or key["serial"],
    }
    if changes.get("signature_type", True):
        headers["Wechatpay-Signature-Type"] = "WECHATPAY2-SHA256-RSA2048"
    expected = {
        "kind": kind,
        "id": envelope["id"],
        "event_type": event_type,
        "summary": envelope.get("summary", ""),
        "original_type": resource["original_type"] or None,
        "plaintext": plaintext,
    }
    return {"name": name, "key": signer, "headers": headers, "body": body, "expected": expected}


def make_requests(keys):
    """Known signing strings by length and SHA-256, and requests signed with the merchant's key."""
    nonce, at = "593BEC0C930BF1AFEB40B4A08C8FB242", 1554208460
    requests = [
        ("GET", "/v3/certificates", ""),
        ("POST", "/v3/pay/transactions/jsapi", '{"a":1}'),
        ("GET", "/v3/pay/transactions/out-trade-no/a%7Cb*c?mchid=1900000001", ""),
        ("POST", "/v3/pay/transactions/out-trade-no/1/close", '{"mchid":"1900000001"}\n'),
        ("POST", "/v3/pay/transactions/jsapi", '{"description":"店铺 ☕"}'),
    ]
    private = keys["merchant"]["private_pem"]
    signed = []
    for method, url, body in requests:
        message = f"{method}\n{url}\n{at}\n{nonce}\n{body}\n".encode()
        signature = sign(private, message)
        authorization = (
            f'WECHATPAY2-SHA256-RSA2048 mchid="{MCHID}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{at}",serial_no="{MERCHANT_SERIAL}"'
        )
        signed.append({
            "method": method, "url": url, "timestamp": at, "nonce": nonce, "body": body, "mchid": MCHID,
            "message_bytes": len(message), "message_sha256": hashlib.sha256(message).hexdigest(),
            "authorization": authorization,
        })
    callbacks = []
    for body in ['{"a":1}', ""]:
        message = f"{at}\n{nonce}\n{body}\n".encode()
        callbacks.append({
            "timestamp": str(at), "nonce": nonce, "body": body,
            "message_bytes": len(message), "message_sha256": hashlib.sha256(message).hexdigest(),
        })
    prepay_id = "wx201410272009395522657a690389285100"
    message = f"{APPID}\n{at}\n{nonce}\nprepay_id={prepay_id}\n".encode()
    payment = {
        "appid": APPID, "timestamp": at, "nonce": nonce, "prepay_id": prepay_id,
        "expected": {
            "timeStamp": str(at), "nonceStr": nonce, "package": f"prepay_id={prepay_id}", "signType": "RSA",
            "paySign": sign(private, message),
        },
    }
    return {"requests": signed, "callback_messages": callbacks, "payments": [payment]}


def make_resources():
    """AES-256-GCM with known keys, among them two known answers of the protocol's description."""
    key, nonce, plaintext = "0123456789abcdef0123456789abcdef", "abcdefghijkl", '{"trade_state":"SUCCESS"}'
    resources = []
    for text in [plaintext, "", "-----BEGIN CERTIFICATE-----\n", "支付成功"]:
        for associated_data in ["transaction", "", "certificate"]:
            sealed = AESGCM(key.encode()).encrypt(nonce.encode(), text.encode(), associated_data.encode())
            resources.append({
                "apiv3_key": key, "nonce": nonce, "associated_data": associated_data, "plaintext": text,
                "ciphertext": base64.b64encode(sealed).decode(),
            })
    assert resources[0]["ciphertext"] == "Eu69zaqBCIwQaJNlb7tiHQ9k+Fz80zx5YzOYHKwl/geBbi9ljwuu9FA="
    assert resources[1]["ciphertext"] == "Eu69zaqBCIwQaJNlb7tiHQ9k+Fz80zx5Y14ddw/WWtAzvVgHghiBSjk="
    return {"vectors": resources}


FIELDS = ["张三", "13800138000", "x", "payonce" * 30 + "1234"]  # the last has 214 bytes, all that RSA-2048 takes


def make_fields(keys):
    """Sensitive fields as WeChat Pay encrypts them for the merchant."""
    private = keys["merchant"]["private_pem"]
    return {"vectors": [{"plaintext": text, "ciphertext": oaep(private, text)} for text in FIELDS]}


def signed_headers(name, serial, body, signature_type, signer):
    nonce = hashlib.sha256(name.encode()).hexdigest()[:32]
    return {
        "Wechatpay-Timestamp": str(SIGNED_AT),
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signer(f"{SIGNED_AT}\n{nonce}\n{body}\n".encode()),
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature-Type": signature_type,
    }


def listed(serial, pem, changes):
    """One entry of GET /v3/certificates."""
    algorithm, sealing = ("AEAD_SM4_GCM", sm_seal) if changes.get("sm") else ("AEAD_AES_256_GCM", seal)
    nonce, associated_data = serial[:12].lower(), changes.get("associated_data", "certificate")
    sealed = {
        "algorithm": algorithm, "nonce": nonce, "associated_data": associated_data,
        "ciphertext": sealing(pem, nonce, associated_data or ""),
    }
    sealed = {field: value for field, value in sealed.items() if value is not None}
    times = {"effective_time": "2025-06-01T00:00:00+08:00", "expire_time": "2030-05-31T23:59:59+08:00"}
    if changes.get("odd"):  # as in WeChat Pay's samples: a blank behind a name, times as numbers
        times = {"effective_time ": 1748707200, "expire_time": 1906473599}
    return {"serial_no": serial, **times, "encrypt_certificate": sealed}


def make_answer(name, entries, serial, signer, signature_type="WECHATPAY2-SHA256-RSA2048"):
    body = compact({"data": entries})
    return {"name": name, "headers": signed_headers(name, serial, body, signature_type, signer), "body": body}


def make_certificates(keys):
    """Answers of GET /v3/certificates, and the merchant's certificate, which names the merchant."""
    def entry(name, **changes):
        return listed(keys[name]["serial"], keys[name]["certificate_pem"], changes)

    def signer(name):
        return lambda message: sign(keys[name]["private_pem"], message)

    one, both = [entry("certificate")], [entry("certificate"), entry("certificate_4096")]
    odd = [entry("certificate", odd=True, associated_data=None)]
    empty = [entry("certificate", associated_data="")]
    answers = [
        make_answer("first download", one, SERIAL_2048, signer("certificate")),
        make_answer("signed by the new one", both, SERIAL_4096, signer("certificate_4096")),
        make_answer("signed by the old one", both, SERIAL_2048, signer("certificate")),
        make_answer("odd names and times", odd, SERIAL_2048, signer("certificate")),
        make_answer("associated_data empty", empty, SERIAL_2048, signer("certificate")),
        make_answer("signed by the public key", one, PUBLIC_KEY_ID, signer("public_key")),
        make_answer("signed by a stranger", one, MERCHANT_SERIAL, signer("merchant")),
        make_answer("signed by a stranger in its name", one, SERIAL_2048, signer("merchant")),
        make_answer("none", [], PUBLIC_KEY_ID, signer("public_key")),
    ]
    pem = certificate(keys["merchant"]["private_pem"], MERCHANT_SERIAL, MCHID)
    merchant = {"certificate_pem": pem, "mchid": MCHID, **validity(pem)}
    return {"vectors": answers, "merchant": merchant, "dated": make_dated(keys["certificate"]["private_pem"])}


def make_dated(private):
    """Certificates by when they are valid, in days from SIGNED_AT."""
    days = {"expired": (-1800, -1), "old": (-1700, 10), "new": (-20, 1800), "future": (1, 1800)}
    key = serialization.load_pem_private_key(private.encode(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "payonce test platform")])
    dated = {}
    for number, (label, (first, last)) in enumerate(days.items(), 0xA0):
        starts, expires = (SIGNED_AT + day * 86_400 for day in (first, last))
        begin, end = (datetime.datetime.fromtimestamp(time, datetime.UTC) for time in (starts, expires))
        builder = x509.CertificateBuilder(name, name, key.public_key(), number, begin, end)
        pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
        dated[label] = {"serial": f"{number:X}", "certificate_pem": pem, "starts": starts, "expires": expires}
    return dated


def make_sm():
    """国密: keys, a callback under either kind of serial, a list of certificates, fields and resources."""
    platform, merchant = private_key("-algorithm", "SM2"), private_key("-algorithm", "SM2")
    platform_certificate = sm_certificate(platform, SM_PLATFORM_SERIAL, "payonce test platform")
    merchant_certificate = sm_certificate(merchant, SM_MERCHANT_SERIAL, MCHID)
    keys = {
        "public_key": {"id": SM_PUBLIC_KEY_ID, "private_pem": platform, "public_pem": public_pem(platform)},
        "certificate": {"serial": SM_PLATFORM_SERIAL, "certificate_pem": platform_certificate},
        "merchant": {
            "serial": SM_MERCHANT_SERIAL, "mchid": MCHID, "private_pem": merchant,
            "certificate_pem": merchant_certificate, **validity(merchant_certificate),
        },
    }

    def signer(message):
        return sm_sign(platform, message)

    plaintext, scheme = compact(TRANSACTION), "WECHATPAY2-SM2-WITH-SM3"
    body = compact({
        "id": "00000000-0000-5000-8000-000000000100",
        "create_time": "2025-06-15T23:06:40+08:00",
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "支付成功",
        "resource": {
            "original_type": "transaction", "algorithm": "AEAD_SM4_GCM", "associated_data": "transaction",
            "nonce": "nonce0000100", "ciphertext": sm_seal(plaintext, "nonce0000100", "transaction"),
        },
    })
    callbacks = [
        {"name": name, "headers": signed_headers(name, serial, body, scheme, signer), "body": body}
        for name, serial in [("by certificate", SM_PLATFORM_SERIAL), ("by public key", SM_PUBLIC_KEY_ID)]
    ]
    entry = listed(SM_PLATFORM_SERIAL, platform_certificate, {"sm": True})
    known = {
        "apiv3_key": "0123456789abcdef0123456789abcdef", "nonce": "abcdefghijkl", "associated_data": "transaction",
        "plaintext": '{"trade_state":"SUCCESS"}',
        "ciphertext": "ztmAiRyB/4c7t28GqLl2o0k4xXBF3benXfp7qPvnvC/rDwrtJ3xwFoU=",
    }
    assert known["ciphertext"] == sm_seal(known["plaintext"], known["nonce"], "transaction", known["apiv3_key"])
    return {
        "keys": keys,
        "callbacks": callbacks,
        "plaintext": plaintext,
        "certificates": make_answer("certificates", [entry], SM_PLATFORM_SERIAL, signer, scheme),
        "fields": [{"plaintext": text, "ciphertext": sm_encrypt(merchant, text)} for text in FIELDS],
        "resource": known,
V2_KEY = "payonce0test0apiv2key0ABCDEFGHIJ"
V2_PAYMENT = {
    "return_code": "SUCCESS", "return_msg": "OK", "result_code": "SUCCESS", "appid": APPID, "mch_id": MCHID,
    "nonce_str": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS", "openid": "oTestOpenid0000000000000000", "is_subscribe": "Y",
    "trade_type": "JSAPI", "bank_type": "OTHERS", "total_fee": "100", "settlement_total_fee": "95", "fee_type": "CNY",
    "cash_fee": "90", "cash_fee_type": "CNY", "coupon_fee": "10", "coupon_count": "2", "coupon_type_0": "CASH",
    "coupon_id_0": "10000", "coupon_fee_0": "5", "coupon_type_1": "NO_CASH", "coupon_id_1": "10001",
    "coupon_fee_1": "5", "transaction_id": "4200000000202506150000000001", "out_trade_no": "payonce-0001",
    "attach": "桌 7 & \"A\" <b> ]]> 'x' = 1", "time_end": "20250615230640", "field_of_tomorrow": "neu",
}
V2_REFUND = {
    "transaction_id": "4200000000202506150000000001", "out_trade_no": "payonce-0001", "refund_id": "50000000000001",
    "out_refund_no": "r1", "total_fee": "100", "settlement_total_fee": "95", "refund_fee": "40",
    "settlement_refund_fee": "35", "cash_refund_fee": "30", "refund_status": "SUCCESS",
    "success_time": "2025-06-15 23:06:40", "refund_recv_accout": "招商银行信用卡0403",
    "refund_account": "REFUND_SOURCE_UNSETTLED_FUNDS", "refund_request_source": "API",
}


def v2_message(fields):
    signed = {name: value for name, value in fields.items() if name != "sign" and value != ""}
    return "&".join(f"{name}={signed[name]}" for name in sorted(signed))


def v2_sign(fields, sign_type, key=V2_KEY):
    message = f"{v2_message(fields)}&key={key}".encode()
    options = ["-md5"] if sign_type == "MD5" else ["-sha256", "-mac", "HMAC", "-macopt", f"key:{key}"]
    return openssl("dgst", *options, stdin=message).decode().split()[-1].upper()


def v2_seal(plaintext, key=V2_KEY):
    aes_key = hashlib.md5(key.encode()).hexdigest().encode().hex()
    return base64.b64encode(openssl("enc", "-aes-256-ecb", "-K", aes_key, stdin=plaintext.encode())).decode()


def v2_xml(fields, style="cdata", root="xml"):
    """`cdata` as WeChat Pay writes it; `text` escaped; `pretty` with a declaration, line breaks and both."""
    between = "\n  " if style == "pretty" else ""
    lines = []
    for number, (name, value) in enumerate(fields.items()):
        if style == "text" or (style == "pretty" and number % 2):
            inner = escape(value, {'"': "&quot;", "'": "&#39;", "=": "&#x3D;"})
        else:
            inner = "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"
        lines.append(f"{between}<{name}>{inner}</{name}>")
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n' if style == "pretty" else ""
    return f"{declaration}<{root}>{''.join(lines)}{between[:1]}</{root}>"


def v2_signed(fields, sign_type, style="cdata"):
    return v2_xml(fields | {"sign": v2_sign(fields, sign_type)}, style)


def v2_notices():
    hmac = V2_PAYMENT | {"sign_type": "HMAC-SHA256"}
    small = without(V2_PAYMENT, "attach", "fee_type", "cash_fee", *(name for name in V2_PAYMENT if "coupon" in name))
    partner = V2_PAYMENT | {"sub_mch_id": "1900000002", "sub_appid": "wxsub", "sub_openid": "oSub"}
    failed = without(small, "transaction_id") | {
        "result_code": "FAIL", "err_code": "SYSTEMERROR", "err_code_des": "系统错误",
    }
    contract = {
        "return_code": "SUCCESS", "result_code": "SUCCESS", "mch_id": MCHID, "contract_id": "Wx15463511252015071056489715",
        "change_type": "ADD", "nonce_str": "n", "plan_id": "123",
    }
    rows = [
        ("cdata, MD5", V2_PAYMENT, "MD5", "cdata", "paid"),
        ("escaped text, MD5", V2_PAYMENT, "MD5", "text", "paid"),
        ("declaration, line breaks, both", V2_PAYMENT, "MD5", "pretty", "paid"),
        ("HMAC-SHA256, which sign_type names", hmac, "HMAC-SHA256", "cdata", "paid"),
        ("HMAC-SHA256, which nothing names", V2_PAYMENT, "HMAC-SHA256", "cdata", "paid"),
        ("without optional fields", small, "MD5", "cdata", "paid"),
        ("empty fields", small | {"attach": "", "fee_type": "", "cash_fee": ""}, "MD5", "cdata", "paid"),
        ("partner", partner, "MD5", "cdata", "paid"),
        ("another order of fields", dict(reversed(V2_PAYMENT.items())), "MD5", "cdata", "paid"),
        ("value with spaces and line breaks", V2_PAYMENT | {"attach": " a\r\n\tb "}, "MD5", "cdata", "paid"),
        ("result_code FAIL", failed, "MD5", "cdata", "not paid"),
        ("deduction that failed", small | {"trade_state": "PAY_FAIL"}, "MD5", "cdata", "not paid"),
        ("contract", contract, "MD5", "cdata", "other"),
    ]
    return [
        {"name": name, "body": v2_signed(fields, sign_type, style), "sign_type": sign_type, "kind": kind, "fields": fields}
        for name, fields, sign_type, style, kind in rows
    ]


def v2_refunds():
    outer = {"return_code": "SUCCESS", "appid": APPID, "mch_id": MCHID, "nonce_str": "TeqClE3i0mvn3DrK"}
    changed = without(V2_REFUND, "success_time") | {"refund_status": "CHANGE"}
    notices = []
    for name, fields, style in [
        ("ordinary", V2_REFUND, "cdata"), ("line breaks", V2_REFUND, "pretty"), ("abnormal", changed, "text"),
    ]:
        plaintext = v2_xml(fields, style, "root")
        body = v2_xml(outer | {"req_info": v2_seal(plaintext)})
        notices.append({"name": name, "body": body, "plaintext": plaintext, "fields": fields})
    return notices


def v2_answers():
    head = {"return_code": "SUCCESS", "return_msg": "OK", "appid": APPID, "mch_id": MCHID, "nonce_str": "n"}
    ok = head | {"result_code": "SUCCESS"}
    numbers = {"transaction_id": "42", "out_trade_no": "payonce-0001"}
    refunds = {
        "out_refund_no_0": "r1", "refund_id_0": "50", "refund_fee_0": "40", "settlement_refund_fee_0": "35",
        "refund_channel_0": "ORIGINAL", "refund_status_0": "SUCCESS", "refund_account_0": "REFUND_SOURCE_RECHARGE_FUNDS",
        "refund_recv_accout_0": "招商银行信用卡0403", "refund_success_time_0": "2025-06-15 23:06:40",
        "coupon_refund_fee_0": "6", "coupon_refund_count_0": "2", "coupon_type_0_0": "CASH",
        "coupon_refund_id_0_0": "10000", "coupon_refund_fee_0_0": "5", "coupon_type_0_1": "NO_CASH",
        "coupon_refund_id_0_1": "10001", "coupon_refund_fee_0_1": "1",
        "out_refund_no_1": "r2", "refund_id_1": "51", "refund_fee_1": "10", "refund_status_1": "PROCESSING",
    }
    refund = {
        "out_refund_no": "r1", "refund_id": "50", "refund_fee": "40", "settlement_refund_fee": "35", "total_fee": "100",
        "cash_fee": "90", "cash_refund_fee": "30", "coupon_refund_fee": "5", "coupon_refund_count": "1",
        "coupon_type_0": "CASH", "coupon_refund_id_0": "10000", "coupon_refund_fee_0": "5",
    }
    count = {"total_refund_count": "12", "refund_count": "2", "total_fee": "100", "cash_fee": "90"}
    prepaid = {"trade_type": "NATIVE", "prepay_id": "wx201410272009395522657a690389285100",
               "code_url": "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00"}
    answers = {
        "unifiedorder": ok | prepaid,
        "orderquery paid": V2_PAYMENT | {"trade_state": "SUCCESS"},
        "orderquery unpaid": ok | {"trade_state": "NOTPAY", "out_trade_no": "payonce-0001", "total_fee": "100"},
        "closeorder": ok | {"result_msg": "OK"},
        "refund": ok | numbers | refund,
        "refundquery": ok | numbers | count | refunds,
        "ORDERPAID": head | {"result_code": "FAIL", "err_code": "ORDERPAID", "err_code_des": "该订单已支付"},
    }
    return {name: v2_signed(fields, "HMAC-SHA256") for name, fields in answers.items()}


def v2_known_answers():
    fields = {"appid": "wxd930ea5d5a258f4f", "body": "test", "device_info": "1000", "mch_id": "10000100",
              "nonce_str": "ibuaiVcKdpRxkhJA"}
    key, plaintext = "192006250b4c09247ec02edce69f6a2d", "<root><refund_status><![CDATA[SUCCESS]]></refund_status></root>"
    assert v2_sign(fields, "MD5", key) == "9A0A8659F005D6984697E2CA0A9CF3B7"
    assert v2_sign(fields, "HMAC-SHA256", key) == "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
    assert v2_seal(plaintext, key).startswith("bDP/xixH0hFEaZusu714U7rO4wZDF5SwkOt7MIFNUaladrdy0yQefoW3LYmmUmF3")


def make_v2():
    """APIv2: signs and ciphers by openssl, XML by Python. Nothing in it is random."""
    v2_known_answers()
    at, nonce, prepay_id = "1750000000", "593BEC0C930BF1AFEB40B4A08C8FB242", "wx201410272009395522657a690389285100"
    payments = []
    for sign_type in ["MD5", "HMAC-SHA256"]:
        client = {"appId": APPID, "timeStamp": at, "nonceStr": nonce, "package": f"prepay_id={prepay_id}",
                  "signType": sign_type}
        app = {"appid": APPID, "partnerid": MCHID, "prepayid": prepay_id, "package": "Sign=WXPay", "noncestr": nonce,
               "timestamp": at}
        payments.append({
            "sign_type": sign_type,
            "mini_program": without(client, "appId") | {"paySign": v2_sign(client, sign_type)},
            "app": app | {"sign": v2_sign(app, sign_type)},
        })
    return {
        "apiv2_key": V2_KEY, "notices": v2_notices(), "refunds": v2_refunds(), "answers": v2_answers(),
        "payments": payments,
    }


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "keys.json"
    keys = json.loads(kept.read_text()) if kept.exists() else make_keys()
    files = {
        "keys.json": keys,
        "callbacks.json": {"vectors": [make_callback(keys, n, *case) for n, case in enumerate(cases())]},
        "requests.json": make_requests(keys),
        "resources.json": make_resources(),
        "fields.json": make_fields(keys),
        "certificates.json": make_certificates(keys),
        "sm.json": make_sm(),
        "v2.json": make_v2(),
    }
    for name, content in files.items():
        note = {"made_by": "scripts/make-vectors.py"}
        (out / name).write_text(json.dumps(note | content, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
