#!/usr/bin/env python3
"""Makes the seeds in fuzz/corpus out of the test vectors in crates/wechatpay/tests/vectors, and of texts written here.

    scripts/make-fuzz-corpus.py [FOLDER]

A seed is a small input from which a fuzzer starts: one for each thing that a target tells apart. The form of an input is
said at the head of each target, in crates/fuzz-targets/src. Seeds have telling names; what a fuzzer found is beside them
as `found-…`, and is left alone, as is every other file. The same vectors give the same seeds. Needs openssl.
"""

import base64
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "fuzz/corpus"

PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012025060100000000000001"
RSA = "WECHATPAY2-SHA256-RSA2048"
GBK = "支付".encode("gbk")  # no UTF-8


def vectors(name):
    return json.loads((ROOT / f"crates/wechatpay/tests/vectors/{name}.json").read_text())


KEYS, CALLBACKS, SM, V2 = (vectors(name) for name in ["keys", "callbacks", "sm", "v2"])


def slug(name):
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def write(target, name, *parts):
    """Parts are joined by newlines; the last may be bytes."""
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    parts = [part if isinstance(part, bytes) else part.encode() for part in parts]
    (folder / slug(name)).write_bytes(b"\n".join(parts))


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def request(headers, body):
    """The form of `input::Capture`."""
    lines = [f"{name}: {value}" for name, value in headers]
    return ["\n".join([*lines, ""]), body]


def sent(vector, **changes):
    headers = {name: value for name, value in vector["headers"].items()}
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    return [(name, value) for name, value in headers.items() if value is not None]


def sign(private_pem, message):
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(private_pem)
        file.flush()
        command = ["openssl", "dgst", "-sha256", "-sign", file.name]
        return base64.b64encode(subprocess.run(command, input=message, check=True, capture_output=True).stdout).decode()


def signed(vector, body):
    """The headers of a vector, signed anew over another body."""
    headers = dict(vector["headers"])
    message = "".join(f"{part}\n" for part in [headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], body])
    headers["Wechatpay-Signature"] = sign(KEYS["public_key"]["private_pem"], message.encode())
    return {"headers": headers, "body": body}


def small():
    """A callback with as few members as one may have: in how many orders they can stand decides how long a diagnosis
    takes."""
    vector = next(v for v in CALLBACKS["vectors"] if v["name"] == "associated_data absent")
    body = json.loads(vector["body"])
    del body["summary"], body["resource"]["original_type"]
    return signed(vector, compact(body))


def named(name):
    return next(vector for vector in CALLBACKS["vectors"] if vector["name"] == name)


def headers():
    ordinary = named("ordinary")
    for vector in CALLBACKS["vectors"][:4]:
        write("headers", vector["name"], *request(sent(vector), vector["body"]))
    for vector in SM["callbacks"]:
        write("headers", "sm " + vector["name"], *request(sent(vector), vector["body"]))
    changed = {
        "stale": sent(ordinary, Wechatpay_Timestamp="1749999700"),
        "timestamp not a number": sent(ordinary, Wechatpay_Timestamp="-1750000000"),
        "timestamp of all digits": sent(ordinary, Wechatpay_Timestamp="9" * 18),
        "unsupported type": sent(ordinary, Wechatpay_Signature_Type="WECHATPAY2-SHA512-RSA4096"),
        "unknown serial": sent(ordinary, Wechatpay_Serial="5F1C72E2A8931B72"),
        "probe": sent(ordinary, Wechatpay_Signature="WECHATPAY/SIGNTEST/" + ordinary["headers"]["Wechatpay-Signature"]),
        "not base64": sent(ordinary, Wechatpay_Signature="x"),
        "missing": sent(ordinary, Wechatpay_Nonce=None),
        "empty": sent(ordinary, Wechatpay_Nonce=""),
        "repeated": [*sent(ordinary), ("WECHATPAY-SERIAL", PUBLIC_KEY_ID)],
        "none": [],
    }
    for name, lines in changed.items():
        write("headers", name, *request(lines, ordinary["body"]))
    write("headers", "other suite", *request(sent(SM["callbacks"][0], Wechatpay_Signature_Type=RSA), "{}"))
    write("headers", "other suite of rsa", *request(
        sent(ordinary, Wechatpay_Signature_Type="WECHATPAY2-SM2-WITH-SM3"), "{}"))
    write("headers", "mismatch", *request(sent(ordinary), ordinary["body"] + "\n"))
    write("headers", "short", *request(
        [("wechatpay-timestamp", "1750000000"), ("wechatpay-nonce", "n"), ("wechatpay-signature", "AAAA"),
         ("wechatpay-serial", PUBLIC_KEY_ID)], ""))


def envelope():
    good = {
        "id": "EV-1",
        "create_time": "2025-06-15T23:06:40+08:00",
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "支付成功",
        "resource": {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": "@SEALED@",
            "associated_data": "transaction",
            "nonce": "nonce0000099",
        },
    }

    def changed(name, inner=(), **outer):
        value = {**good, **outer, "resource": {**good["resource"], **dict(inner)}}
        value = {key: part for key, part in value.items() if part is not Ellipsis}
        value["resource"] = {key: part for key, part in value["resource"].items() if part is not Ellipsis}
        write("envelope", name, compact(value))

    changed("good")
    changed("no summary", summary=...)
    changed("summary null", summary=None)
    changed("original type absent", inner={"original_type": ...})
    changed("original type empty", inner={"original_type": ""})
    changed("more members", field_of_tomorrow=[1, {"x": None}], inner={"more": 1e3})
    changed("resource type", resource_type="plain-resource")
    changed("algorithm", inner={"algorithm": "AEAD_AES_128_GCM"})
    changed("sm4", inner={"algorithm": "AEAD_SM4_GCM"})
    changed("nonce", inner={"nonce": "nonce000009"})
    changed("nonce of more bytes than characters", inner={"nonce": "支付成功"})
    changed("not base64", inner={"ciphertext": "@SEALED@="})
    changed("too short", inner={"ciphertext": "AAAA"})
    changed("wrong key", inner={"associated_data": "other"})
    changed("no associated data", inner={"associated_data": ...})
    changed("a refund event", event_type="REFUND.SUCCESS", inner={"original_type": "refund"})
    changed("escapes", id="\u0000\"\\/\U0001f600")
    write("envelope", "with blanks", json.dumps(good, indent=2))
    write("envelope", "repeated", compact(good)[:-1] + ',"id":"EV-2"}')
    write("envelope", "id a number", compact({**good, "id": 1}))
    write("envelope", "cut", compact(good)[:-1])
    write("envelope", "not utf8", compact(good)[:9].encode() + GBK)
    write("envelope", "empty object", "{}")


PAYMENT = json.loads(named("ordinary")["expected"]["plaintext"])
TRANSFER = {
    "out_bill_no": "plfk2020042013",
    "transfer_bill_no": "1330000071100999991182020050700019480001",
    "state": "SUCCESS",
    "mch_id": "1900000001",
    "transfer_amount": 2000,
    "openid": "oTestOpenid0000000000000000",
    "fail_reason": "PAYEE_ACCOUNT_ABNORMAL",
    "create_time": "2025-06-15T10:34:56+08:00",
    "update_time": "2025-06-15T10:34:56+08:00",
}


def resource():
    def seed(name, event, original, plaintext):
        plaintext = plaintext if isinstance(plaintext, (str, bytes)) else compact(plaintext)
        write("resource", name, event, original, plaintext)

    kinds = {"unknown fields", "optional fields null", "combine", "partner", "share movement", "refund", "ordinary",
             "event of tomorrow"}
    for vector in CALLBACKS["vectors"]:
        if vector["name"] in kinds:
            expected = vector["expected"]
            seed(vector["name"], expected["event_type"], expected["original_type"] or "-", expected["plaintext"])
    paid = "TRANSACTION.SUCCESS"
    seed("profit sharing", paid, "profitsharing", next(
        v for v in CALLBACKS["vectors"] if v["name"] == "share movement")["expected"]["plaintext"])
    for field, value in [
        ("sp_mchid", "1900000001"), ("combine_mchid", "1900000001"), ("receiver", {"type": "MERCHANT_ID"}),
        ("trade_scene", "PARKING"), ("trade_type", "PAP"), ("transaction_id", None), ("mchid", ""), ("amount", None),
    ]:
        seed(f"payment with {field}", paid, "transaction", {**PAYMENT, field: value})
    for name, amount in [
        ("exchange rate", {"total": 1, "exchange_rate": {"type": "SETTLEMENT_RATE", "rate": 100}}),
        ("amount a float", {"total": 1.0}), ("amount negative", {"total": -1}), ("amount a text", {"total": "1"}),
        ("amount too large", {"total": 2**63}), ("amount a text of somebody", {"total": "oTestOpenid"}),
    ]:
        seed(name, paid, "transaction", {**PAYMENT, "amount": amount})
    seed("payer a text", paid, "transaction", {**PAYMENT, "payer": "oTestOpenid0000000000000000"})
    seed("state a list of somebody", paid, "transaction", {**PAYMENT, "trade_state": ["oTestOpenid"]})
    seed("not json", paid, "transaction", '{"mchid":')
    seed("not utf8", paid, "transaction", GBK)
    seed("transfer", "MCHTRANSFER.BILL.FINISHED", "mch_payment", TRANSFER)
    seed("transfer batch", "MCHTRANSFER.BATCH.FINISHED", "mch_payment", {
        "out_batch_no": "b1", "batch_id": "1", "batch_status": "FINISHED", "total_num": 1, "total_amount": 2000,
        "success_amount": 2000, "success_num": 1, "fail_amount": 0, "fail_num": 0, "mchid": "1900000001",
        "update_time": "2025-06-15T10:34:56+08:00"})
    seed("transfer authorization", "MCHTRANSFER.AUTHORIZATION.CLOSED", "mch_payment", {
        "out_authorization_no": "a1", "authorization_id": "1", "state": "CLOSED", "openid": "oTestOpenid",
        "user_display_name": "张三", "close_info": {"close_reason": "USER_CLOSE", "close_time": "2025-06-15T10:34:56+08:00"}})
    seed("echo", "SECURITY_ECHO.SUCCESS", "security", {"echo_message": "hello", "encrypted_echo_message": "x"})
    seed("complaint", "COMPLAINT.CREATE", "complaint", {"complaint_id": "1", "action_type": "CREATE_COMPLAINT"})
    seed("nested", paid, "transaction", '{"a":' * 60 + "1" + "}" * 60)


def der(pem):
    return base64.b64decode("".join(line for line in pem.splitlines() if "-----" not in line))


def certificates():
    certificates = vectors("certificates")
    pems = {
        "certificate": ("CERTIFICATE", KEYS["certificate"]["certificate_pem"]),
        "certificate of a merchant": ("CERTIFICATE", certificates["merchant"]["certificate_pem"]),
        "certificate expired": ("CERTIFICATE", certificates["dated"]["expired"]["certificate_pem"]),
        "certificate sm2": ("CERTIFICATE", SM["keys"]["certificate"]["certificate_pem"]),
        "certificate ec": ("CERTIFICATE", KEYS["ec"]["certificate_pem"]),
        "certificate rsa 1024": ("CERTIFICATE", KEYS["rsa_1024"]["certificate_pem"]),
        "public key": ("PUBLIC KEY", KEYS["public_key"]["public_pem"]),
        "public key sm2": ("PUBLIC KEY", SM["keys"]["public_key"]["public_pem"]),
        "public key ec": ("PUBLIC KEY", KEYS["ec"]["public_pem"]),
        "private key": ("PRIVATE KEY", KEYS["merchant"]["private_pem"]),
        "private key pkcs1": ("RSA PRIVATE KEY", KEYS["merchant"]["pkcs1_pem"]),
        "private key sm2": ("PRIVATE KEY", SM["keys"]["merchant"]["private_pem"]),
        "private key rsa 1024": ("PRIVATE KEY", KEYS["rsa_1024"]["private_pem"]),
        "private key encrypted": ("ENCRYPTED PRIVATE KEY", KEYS["merchant"]["encrypted_pem"]),
    }
    for name, (label, pem) in pems.items():
        write("certificates", name, label, der(pem))
    write("certificates", "pem", "PEM", certificates["dated"]["new"]["certificate_pem"])
    write("certificates", "pem with blanks", "PEM", "\n  " + KEYS["public_key"]["public_pem"] + "\r\n\n")
    write("certificates", "pem of two blocks", "PEM", KEYS["public_key"]["public_pem"] * 2)
    write("certificates", "pem of one line", "PEM", KEYS["public_key"]["public_pem"].replace("\n", " "))
    write("certificates", "listed", "LISTED", certificates["dated"]["new"]["certificate_pem"])
    write("certificates", "listed sm2", "LISTED", SM["keys"]["certificate"]["certificate_pem"])
    write("certificates", "listed a key", "LISTED", KEYS["public_key"]["public_pem"])
    write("certificates", "listed not utf8", "LISTED", b"\xff")


def errors():
    def seed(name, status, request_id, body):
        write("errors", name, str(status), request_id, body if isinstance(body, str) else compact(body))

    error = {"code": "PARAM_ERROR", "message": "参数错误"}
    seed("code", 400, "08E68E97CC0610DF8C92D0D6F2", {**error, "code": "CODE_OF_TOMORROW"})
    seed("hint", 404, "", {"code": "ORDER_NOT_EXIST", "message": "订单不存在"})
    seed("numeric code", 403, "08E68E97CC0610DF8C92D0D6F2-268498688", {"code": "OUT_TRADE_NO_USED", "message": "x"})
    seed("detail", 400, "r-1", {**error, "detail": {
        "field": "/amount/currency", "value": "oTestOpenid", "issue": "不在枚举值中", "location": "body"}})
    seed("detail in detail", 400, "r-1-", {**error, "detail": {"detail": {"issue": "sign not match"}, "value": 1}})
    seed("detail a text", 400, "-", {**error, "detail": "oTestOpenid"})
    seed("detail null", 400, "r-99999999999999999999", {**error, "detail": None})
    seed("signed string", 401, "r", {"code": "SIGN_ERROR", "message": "错误的签名", "detail": {
        "field": "signature", "issue": "sign not match", "location": "authorization",
        "detail": {"issue": "sign not match"}, "sign_information": {
            "method": "GET", "url": "/v3/certificates", "sign_message_length": 66,
            "truncated_sign_message": "GET\n/v3/certificates\n1554208460\noTestOpenid"}}})
    seed("numbers for texts", 500, "r", {"code": 268435461, "message": 1.5})
    seed("html", 502, "", "<html>\r\n<title>502 Bad Gateway</title>")
    seed("nothing", 503, "", "")
    seed("a list", 429, "r", "[1]")


def calls():
    def seed(name, body, call=None):
        write("calls", name, call or name, body if isinstance(body, str) else compact(body))

    order = {key: value for key, value in PAYMENT.items()}
    seed("prepay jsapi", {"prepay_id": "wx201410272009395522657a690389285100"})
    seed("prepay native", {"code_url": "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00"})
    seed("prepay h5", {"h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016121516420242444321ca0631331346&package=1405458241"})
    seed("query order", order)
    seed("query order unpaid", {"mchid": "1900000001", "out_trade_no": "payonce-0001", "trade_state": "NOTPAY",
                                "amount": None, "promotion_detail": None}, "query order")
    seed("query order promotions", {**order, "promotion_detail": [{
        "coupon_id": "109519", "name": "单品惠-6", "scope": "SINGLE", "type": "CASH", "amount": 10, "currency": "CNY",
        "goods_detail": [{"goods_id": "g1", "quantity": 1, "unit_price": 100, "discount_amount": 0}]}]}, "query order")
    seed("query order of another", {**order, "out_trade_no": "payonce-0002"}, "query order")
    seed("query order of another merchant", {**order, "mchid": "1900000002"}, "query order")
    seed("query by id", order)
    partner = {key: value for key, value in order.items() if key not in ("mchid", "appid", "payer")}
    seed("query partner order", {**partner, "sp_appid": "wx0123456789abcdef", "sp_mchid": "1900000001",
                                 "sub_mchid": "1900000109", "payer": {"sp_openid": "oTestOpenid"}})
    refund = {
        "refund_id": "50000000000001", "out_refund_no": "r1", "transaction_id": "4200000000202506150000000001",
        "out_trade_no": "payonce-0001", "channel": "ORIGINAL", "user_received_account": "招商银行信用卡0403",
        "create_time": "2025-06-15T23:06:40+08:00", "status": "PROCESSING", "funds_account": "UNSETTLED",
        "amount": {"total": 100, "refund": 40, "from": [{"account": "AVAILABLE", "amount": 40}], "payer_total": 90,
                   "payer_refund": 36, "settlement_refund": 40, "settlement_total": 100, "discount_refund": 4,
                   "currency": "CNY", "refund_fee": 0},
        "promotion_detail": [{"promotion_id": "109519", "scope": "GLOBAL", "type": "COUPON", "amount": 5,
                              "refund_amount": 1, "goods_detail": []}]}
    for name in ["refund", "query refund", "abnormal refund"]:
        seed(name, refund)
    seed("refund of another", {**refund, "out_refund_no": "r2"}, "refund")
    seed("refund in yuan", {**refund, "amount": {"total": 1.0, "refund": "oTestOpenid"}}, "refund")
    combine = json.loads(named("combine")["expected"]["plaintext"])
    seed("query combine", {**combine, "combine_out_trade_no": "payonce-0001"})
    statement = {"hash_type": "SHA1", "hash_value": "79bb0f45fc4c42234a918000b2668d689e2bde04",
                 "download_url": "https://api.mch.weixin.qq.com/v3/billdownload/file?token=xx"}
    seed("trade bill", statement)
    seed("fund flow bill", {**statement, "download_url": "https://API2.wechatpay.cn:443/v3/bill/downloadurl?token=a%2Bb"})
    seed("bill elsewhere", {**statement, "download_url": "https://api.mch.weixin.qq.com@example.com/v3/x"}, "trade bill")
    seed("certificates", {"data": [{
        "serial_no": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "effective_time": "2025-06-08T10:34:56+08:00",
        "expire_time": "2030-06-08T10:34:56+08:00", "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM", "nonce": "61f9c719728a", "associated_data": "certificate",
            "ciphertext": "sRvt"}}]})
    seed("echo", {"echo_message": "hello", "encrypted_echo_message": "x"})
    seed("echo of another", {"echo_message": "hullo"}, "echo")
    seed("login", {"openid": "oTestOpenid0000000000000000", "session_key": "MDEyMzQ1Njc4OWFiY2RlZg==", "unionid": "u"})
    seed("login refused", {"errcode": 40163, "errmsg": "code been used, rid: 65f0"})
    seed("login incomplete", {"errcode": 0, "errmsg": "ok"}, "login")
    seed("malformed", {"prepay_id": ["oTestOpenid"]}, "prepay jsapi")
    seed("empty", "", "refund")


def diagnosis():
    ordinary = named("ordinary")
    to = [("@merchant", "1900000001"), ("@now", "1750000003")]

    def seed(name, headers, body, first=to):
        write("diagnosis", name, *request([*first, *headers], body))

    seed("accepted", sent(ordinary), ordinary["body"])
    seed("newline added to six members", sent(ordinary), ordinary["body"] + "\n")
    ordinary = small()
    body = ordinary["body"]
    seed("accepted small", sent(ordinary), body)
    seed("accepted by certificate", sent(named("by certificate")), named("by certificate")["body"])
    seed("merchant not said", sent(ordinary), body, [])
    seed("merchant unknown", sent(ordinary), body, [("@merchant", "1900000009")])
    seed("of another merchant", sent(ordinary), body, [("@merchant", "1900000002")])
    seed("stale", sent(ordinary), body, [to[0], ("@now", "1750000400")])
    seed("newline added", sent(ordinary), body + "\n")
    seed("bom added", sent(ordinary), "\ufeff" + body)
    seed("crlf", sent(ordinary), json.dumps(json.loads(body), ensure_ascii=False, indent=2).replace("\n", "\r\n"))
    seed("written anew", sent(ordinary), json.dumps(json.loads(body)))
    seed("members sorted", sent(ordinary), json.dumps(json.loads(body), sort_keys=True))
    seed("members in another order", sent(ordinary), compact(dict(reversed(json.loads(body).items()))))
    seed("slashes escaped", sent(ordinary), body.replace("/", "\\/"))
    chinese = '{"id":"1","summary":"支付成功"}'
    seed("read as latin1", sent(ordinary), chinese.encode().decode("latin-1"))
    seed("gbk", sent(ordinary), chinese.encode("gbk"))
    seed("a json string", sent(ordinary), json.dumps(body))
    seed("as a form", sent(ordinary), body.replace("+", " "))
    seed("headers as variables", [("HTTP_" + name.upper().replace("-", "_"), value) for name, value in sent(ordinary)], body)
    seed("header doubled", [*sent(ordinary), ("wechatpay-nonce", "x")], body)
    seed("milliseconds", sent(ordinary, Wechatpay_Timestamp=ordinary["headers"]["Wechatpay-Timestamp"] + "000"), body)
    seed("serial altered", sent(ordinary, Wechatpay_Serial="PUB_KEY_ID_1"), body)
    seed("no headers", [], body)
    seed("unreadable", sent(signed(ordinary, "{}")), "{}")
    seed("unknown serial", sent(ordinary, Wechatpay_Serial="5F1C72E2A8931B72"), "{}")
    seed("unsupported", sent(ordinary, Wechatpay_Signature_Type="X"), "{}")
    seed("probe", sent(ordinary, Wechatpay_Signature="WECHATPAY/SIGNTEST/AAAA"), body)
    seed("unverified", sent(ordinary), '{"id":"1","resource":{"nonce":"支付"}}')
    seed("cut", [*sent(ordinary), ("Content-Length", str(len(body.encode())))], body[:100])
    short = [("wechatpay-timestamp", "1750000000"), ("wechatpay-nonce", "n"), ("wechatpay-signature", "AAAA"),
             ("wechatpay-serial", PUBLIC_KEY_ID)]
    seed("short", short, '{"a":1,"b":[true,null,1.5,"\\u652f"],"c":{"d":"x/y","e":"<&>"}}')
    seed("short form", short, "%7B%22summary%22%3A%22x%22%7D=")
    for notice in V2["notices"][:2]:
        seed("v2 " + notice["name"], [], notice["body"])
    seed("v2 refund", [], V2["refunds"][0]["body"])
    seed("v2 changed", [], V2["notices"][0]["body"].replace("<total_fee><![CDATA[100", "<total_fee><![CDATA[1"))
    seed("v2 no xml", [], "<xml><a>1</b></xml>")


FUNDS = """记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号
`2026-03-02 09:15:08,`4200000000202603020000000001,`4200000000202603029000000001,`交易,`交易,`收入,`59.90,`159.90,`system,`结算总金额 59.90 元;含手续费 0.36 元,`A
`2026-03-02 09:15:08,`4200000000202603020000000001,`4200000000202603029000000002,`交易,`扣除交易手续费,`支出,`0.36,`159.54,`system,`,`A
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额
`2.0,`1.0,`59.90,`1.0,`0.36
"""


def bills():
    def seed(name, file):
        write("bills", name, file)

    whole = (ROOT / "crates/wechatpay/tests/vectors/bill.csv").read_text().replace("oTESTopenid", "oTestOpenid")
    lines = whole.splitlines(keepends=True)
    # Few columns, so that a fuzzer has less to keep whole.
    small = ["交易时间,公众账号ID,商户号,微信订单号,商户订单号,用户标识,交易类型,交易状态,货币种类,订单金额,手续费\n",
             "`2026-03-02 09:15:07,`wx0,`1900000001,`4200,`A1,`oTestOpenid,`JSAPI,`SUCCESS,`CNY,`59.90,`0.36\n",
             "`2026-03-02 09:15:09,`wx0,`1900000001,`4201,`A2,`oTestOpenid,`JSAPI,`SUCCESS,`CNY,`0.01,`0\n",
             "总交易单数,订单总金额,手续费总金额\n", "`2,`59.91,`0.36\n"]
    text = "".join(small)
    seed("trades", whole)
    seed("trades without end of line", whole.rstrip())
    seed("trades small", text)
    seed("trades none", small[0] + small[3] + "`0,`0,`0\n")
    seed("trades of crlf", text.replace("\n", "\r\n"))
    seed("trades with full width", text.replace(":", "：", 1).replace("订单金额", "订单金额（元）").replace("订单金额（元）", "订单金额", 1))
    seed("funds", FUNDS)
    seed("any", "分账时间,分账金额（元）\n`2026-03-02 09:15:07,`1.20\n总条数,总金额\n`1,`1.20\n")
    seed("empty", "")
    seed("blanks", "\ufeff \r\n\n")
    seed("xml", "<xml><return_code>FAIL</return_code></xml>")
    seed("json", '{"code":"NO_STATEMENT_EXIST"}')
    seed("tabs", text.replace(",", "\t"))
    seed("no columns", "x,y\n")
    seed("column twice", text.replace("用户标识", "手续费"))
    seed("not a row", small[0] + "x,y\n")
    seed("cell count", text.replace(",`CNY", ""))
    seed("comma in a cell", text.replace("`oTestOpenid", "`o,T", 1))
    seed("not utf8", small[0].encode() + b"`\xff,`\n")
    seed("amount", text.replace("59.90", "59.901"))
    seed("amount of somebody", text.replace("`59.90", "`oTestOpenid"))
    seed("amount negative", text.replace("`59.90", "`-59.90"))
    seed("amount too large", text.replace("`59.90", "`92233720368547758.08"))
    seed("count", text.replace("`2,", "`2.5,"))
    seed("time", text.replace("09:15:07", "oTestOpenid"))
    seed("no order", text.replace("`A1", "`"))
    seed("after the summary", text + small[1])
    seed("cut", small[0] + small[1] + small[2][:40])
    seed("cut before the summary", "".join(small[:3]))
    seed("mismatch", text.replace("59.91", "59.92"))
    seed("row missing", small[0] + small[1] + small[3] + small[4])
    seed("headings with a backtick", "`" + text)
    seed("trades zipped", zipped(text))
    seed("trades zipped in two", zipped(small[0] + small[1]) + zipped("".join(small[2:])))
    seed("zipped cut", zipped(text)[:-5])
    seed("zipped damaged", zipped(text)[:60] + b"\0\0" + zipped(text)[62:])
    seed("zipped and more", zipped(text) + b"x")


def zipped(text):
    # Without a time, so that it is the same each time.
    return gzip.compress(text.encode(), mtime=0)


def v2_xml():
    texts = {
        "empty": "<xml/>",
        "text": "<xml><a>1</a><b> x </b></xml>",
        "cdata": "<xml><a><![CDATA[1<2]]></a><b>x<![CDATA[y]]>z</b></xml>",
        "cdata end": "<xml><a><![CDATA[]]]]><![CDATA[>]]></a></xml>",
        "declaration": "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<xml>\n<a>1</a>\n</xml>\n",
        "declaration of another encoding": "<?xml version=\"1.0\" encoding=\"GBK\"?><xml><a>1</a></xml>",
        "bom": "\ufeff<xml><a>1</a></xml>",
        "references": "<xml><a>&lt;&gt;&amp;&quot;&apos;&#65;&#x684C;</a></xml>",
        "carriage return": "<xml><a>x&#13;\r\n</a></xml>",
        "empty field": "<xml><a/><b></b><c><![CDATA[]]></c></xml>",
        "doctype": "<!DOCTYPE xml [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><xml><a>&a;</a></xml>",
        "doctype never closed": "<!DOCTYPE xml [",
        "doctype within": "<xml><a><!DOCTYPE x></a></xml>",
        "unknown entity": "<xml><a>&b;</a></xml>",
        "comment": "<xml><!-- x --><a>1</a></xml>",
        "instruction": "<xml><?php x ?></xml>",
        "attribute": "<xml><a b=\"1\">2</a></xml>",
        "root": "<root><a>1</a></root>",
        "nested": "<xml><a><b>1</b></a></xml>",
        "name": "<xml><a:b>1</a:b></xml>",
        "repeated": "<xml><a>1</a><a>1</a></xml>",
        "character": "<xml><a>\u0000</a></xml>",
        "character reference": "<xml><a>&#0;</a></xml>",
        "malformed": "<xml><a>1</b></xml>",
        "behind the end": "<xml><a>1</a></xml>x",
        "dollar": "<xml><sign>x</sign><sign_type>HMAC-SHA256</sign_type><nonce_str>n</nonce_str></xml>",
    }
    for name, text in texts.items():
        write("v2_xml", name, text)
    write("v2_xml", "not utf8", b"<xml><a>" + GBK + b"</a></xml>")
    # One byte more than a message may have: 64 KiB, and small once it is packed.
    write("v2_xml", "oversized", b"<xml>" + b" " * (64 * 1024 - 10) + b"</xml>")
    for notice in V2["notices"][:3]:
        write("v2_xml", "notice " + notice["name"], notice["body"])


def xml(fields, root="xml"):
    return f"<{root}>" + "".join(f"<{name}>{value}</{name}>" for name, value in fields.items()) + f"</{root}>"


def v2_notice():
    for notice in V2["notices"]:
        write("v2_notice", "raw " + notice["name"], "raw", notice["body"])
    write("v2_notice", "raw refund", "raw", V2["refunds"][0]["body"])
    write("v2_notice", "raw changed", "raw", V2["notices"][0]["body"].replace("100", "1"))
    write("v2_notice", "raw failed", "raw", "<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>")
    write("v2_notice", "raw req info of nothing", "raw", "<xml><req_info>AAAA</req_info></xml>")
    write("v2_notice", "raw no xml", "raw", "{}")
    paid = {
        "return_code": "SUCCESS", "result_code": "SUCCESS", "appid": "wx0123456789abcdef", "mch_id": "1900000001",
        "openid": "oTestOpenid0000000000000000", "total_fee": "100", "cash_fee": "90", "coupon_fee_0": "10",
        "transaction_id": "4200000000202506150000000001", "out_trade_no": "payonce-0001", "time_end": "20250615230640"}

    def signed(name, **changes):
        fields = {key: value for key, value in {**paid, **changes}.items() if value is not None}
        write("v2_notice", "signed " + name, "signed", xml(fields))

    signed("paid")
    signed("hmac", sign_type="HMAC-SHA256")
    signed("unknown type", sign_type="SM3")
    signed("not paid", result_code="FAIL", err_code="SYSTEMERROR", err_code_des="x")
    signed("state", trade_state="PAYERROR")
    signed("state success", trade_state="SUCCESS")
    signed("failed", return_code="FAIL")
    signed("no amount", total_fee=None)
    signed("amount no number", total_fee="oTestOpenid")
    signed("amount too large", total_fee="9223372036854775808")
    signed("no result", result_code=None)
    signed("result of tomorrow", result_code="PARTIAL")
    signed("unwritable", attach="x&#13;y")
    signed("sealed", req_info="AAAA")
    signed("number too long", transaction_id="4" * 80)
    signed("number with blanks", transaction_id="42 00")
    write("v2_notice", "signed contract", "signed", xml({
        "return_code": "SUCCESS", "result_code": "SUCCESS", "contract_id": "200005698", "openid": "oTestOpenid"}))
    refund = V2["refunds"][0]["fields"]
    write("v2_notice", "sealed refund", "sealed", xml(refund, "root"))
    write("v2_notice", "sealed of the vectors", "sealed", V2["refunds"][0]["plaintext"])
    write("v2_notice", "sealed without status", "sealed", xml({**refund, "refund_status": ""}, "root"))
    write("v2_notice", "sealed amount no number", "sealed", xml({**refund, "refund_fee": "oTestOpenid"}, "root"))
    write("v2_notice", "sealed number too long", "sealed", xml({**refund, "refund_id": "5" * 80}, "root"))
    write("v2_notice", "sealed status in chinese", "sealed", xml({**refund, "refund_status": "成功"}, "root"))
    write("v2_notice", "sealed no xml", "sealed", "x")
    write("v2_notice", "sealed another root", "sealed", "<xml><a>1</a></xml>")


def v2_answer():
    calls = {"unifiedorder": "unifiedorder", "orderquery paid": "orderquery", "orderquery unpaid": "orderquery",
             "closeorder": "closeorder", "refund": "refund", "refundquery": "refundquery", "ORDERPAID": "unifiedorder"}
    for name, body in V2["answers"].items():
        write("v2_answer", "raw " + name, "raw " + calls[name], body)
        write("v2_answer", name, calls[name], body)
    write("v2_answer", "raw changed", "raw orderquery", V2["answers"]["orderquery paid"].replace("100", "1"))
    head = {"return_code": "SUCCESS", "result_code": "SUCCESS"}
    write("v2_answer", "refused", "refund", xml({"return_code": "FAIL", "return_msg": "签名错误"}))
    write("v2_answer", "refused systemerror", "refund", xml({"return_code": "FAIL", "return_msg": "SYSTEMERROR"}))
    write("v2_answer", "failed", "closeorder", xml({**head, "result_code": "FAIL", "err_code": "ORDERPAID"}))
    write("v2_answer", "no outcome", "closeorder", xml({**head, "result_code": "PERHAPS"}))
    write("v2_answer", "about another", "closeorder", xml({**head, "mch_id": "1900000002"}))
    write("v2_answer", "malformed", "refund", xml({**head, "refund_fee": "oTestOpenid"}))
    write("v2_answer", "unknown type", "closeorder", xml({**head, "sign_type": "SM3"}))
    write("v2_answer", "unwritable", "closeorder", xml({**head, "attach": "&#13;"}))
    write("v2_answer", "no xml", "orderquery", "<html>")
    write("v2_answer", "refund count beyond", "refundquery", xml({
        **head, "transaction_id": "1", "out_trade_no": "2", "refund_count": "9223372036854775807"}))
    write("v2_answer", "no refunds", "refundquery", xml({
        **head, "transaction_id": "1", "out_trade_no": "2", "refund_count": "0"}))
    write("v2_answer", "bill", "bill", "\ufeff交易时间,公众账号ID\r\n`2025-06-15 23:06:40,`wx0123456789abcdef\r\n")
    write("v2_answer", "bill zipped", "bill", b"\x1f\x8b\x08\x00")
    write("v2_answer", "no bill", "bill", "\ufeff \n" + xml({
        "return_code": "FAIL", "return_msg": "No Bill Exist", "error_code": "20002"}))
    write("v2_answer", "no bill broken", "bill", "<xml>")


for make in [headers, envelope, resource, certificates, errors, calls, diagnosis, bills, v2_xml, v2_notice,
             v2_answer]:
    make()
