//! Requests as they go out, answers as they are read, failures and what they ask for.

use wechatpay::Fen;
use wechatpay::answer::ApiError;
use wechatpay::api::Operation;
use wechatpay::v2::{
    AnswerError, BillReason, BillType, Call, Caller, CloseOrder, DownloadBill, Failure, FieldError, Fields,
    OrderNumber, OrderOptions, OrderQuery, Refund, RefundNumber, RefundQuery, Request, Retry, SignError,
    SignType, Trade, UnifiedOrder, UnwritableError, is_bill_failure, parse_xml, read_answer,
    read_bill_failure, request_body,
};

use super::{caller, key, of, other_key, payment, signed};
use crate::fixture::vectors;

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

fn order(trade: Trade) -> UnifiedOrder {
    UnifiedOrder {
        body: "咖啡".to_owned(),
        out_trade_no: "payonce-0001".to_owned(),
        total_fee: fen(100),
        spbill_create_ip: "127.0.0.1".to_owned(),
        notify_url: "https://pay.example.com/notify/v2/1900000001".to_owned(),
        trade,
        options: OrderOptions::default(),
    }
}

fn query() -> OrderQuery {
    OrderQuery(OrderNumber::OutTradeNo("payonce-0001".to_owned()))
}

fn refund() -> Refund {
    Refund {
        order: OrderNumber::TransactionId("42".to_owned()),
        out_refund_no: "r1".to_owned(),
        total_fee: fen(100),
        refund_fee: fen(40),
        refund_desc: None,
        refund_account: Some("REFUND_SOURCE_RECHARGE_FUNDS".to_owned()),
        notify_url: None,
    }
}

fn refund_query() -> RefundQuery {
    RefundQuery { of: RefundNumber::OutTradeNo("payonce-0001".to_owned()), offset: Some(10) }
}

fn bill() -> DownloadBill {
    DownloadBill { bill_date: "20250615".to_owned(), bill_type: BillType::All, gzip: true }
}

/// The fields that a request adds of its own, `name=value`; the rest of what is sent is checked.
fn sent(request: &impl Request, sign_type: SignType) -> Vec<String> {
    let body = request_body(request, &caller(), "nonce1", sign_type, &key()).unwrap();
    let fields = parse_xml(body.as_bytes()).unwrap();
    assert_eq!(fields.get("sign_type"), Some(sign_type.as_str()));
    let verified = fields.verify(&key(), Some(sign_type)).unwrap();
    let mut own: Vec<String> = verified.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for every in ["appid=wx0123456789abcdef", "mch_id=1900000001", "nonce_str=nonce1"] {
        own.remove(own.iter().position(|field| field == every).unwrap());
    }
    own.retain(|field| !field.starts_with("sign"));
    own
}

#[test]
fn table_of_requests() {
    let own = |request: &dyn Fn(SignType) -> Vec<String>| {
        assert_eq!(request(SignType::Md5), request(SignType::HmacSha256));
        request(SignType::Md5).join(" ")
    };
    assert_eq!(own(&|t| sent(&query(), t)), "out_trade_no=payonce-0001");
    assert_eq!(own(&|t| sent(&CloseOrder { out_trade_no: "a".to_owned() }, t)), "out_trade_no=a");
    assert_eq!(
        own(&|t| sent(&refund(), t)),
        "transaction_id=42 out_refund_no=r1 total_fee=100 refund_fee=40 refund_account=REFUND_SOURCE_RECHARGE_FUNDS"
    );
    assert_eq!(own(&|t| sent(&refund_query(), t)), "out_trade_no=payonce-0001 offset=10");
    assert_eq!(own(&|t| sent(&bill(), t)), "bill_date=20250615 bill_type=ALL tar_type=GZIP");
    let head = "body=咖啡 out_trade_no=payonce-0001 total_fee=100 spbill_create_ip=127.0.0.1 \
                notify_url=https://pay.example.com/notify/v2/1900000001 trade_type=";
    for (trade, tail) in [
        (Trade::Jsapi { openid: "o1".to_owned() }, "JSAPI openid=o1"),
        (Trade::JsapiSub { sub_openid: "o2".to_owned() }, "JSAPI sub_openid=o2"),
        (Trade::Native { product_id: "p1".to_owned() }, "NATIVE product_id=p1"),
        (Trade::App, "APP"),
        (Trade::Mweb { scene_info: "{\"h5_info\":{}}".to_owned() }, "MWEB scene_info={\"h5_info\":{}}"),
    ] {
        let order = order(trade);
        assert_eq!(own(&|t| sent(&order, t)), format!("{head}{tail}"));
    }
}

#[test]
fn every_option_of_an_order() {
    let text = |text: &str| Some(text.to_owned());
    let options = OrderOptions {
        device_info: text("WEB"),
        detail: text("{\"goods_detail\":[]}"),
        attach: text("]]>"),
        time_start: text("20250615230640"),
        time_expire: text("20250615233640"),
        goods_tag: text("WXG"),
        no_credit: true,
        receipt: true,
        profit_sharing: true,
    };
    let order = UnifiedOrder { options, ..order(Trade::App) };
    let fields = sent(&order, SignType::Md5);
    for field in [
        "device_info=WEB",
        "detail={\"goods_detail\":[]}",
        "version=1.0",
        "attach=]]>",
        "time_start=20250615230640",
        "time_expire=20250615233640",
        "goods_tag=WXG",
        "limit_pay=no_credit",
        "receipt=Y",
        "profit_sharing=Y",
    ] {
        assert!(fields.iter().any(|sent| sent == field), "{field}: {fields:?}");
    }
}

#[test]
fn table_of_paths() {
    fn row(request: &impl Request) -> (&'static str, bool, Operation) {
        (request.path(), request.needs_client_certificate(), request.operation())
    }
    assert_eq!(row(&order(Trade::App)), ("/pay/unifiedorder", false, Operation::Prepay));
    assert_eq!(row(&query()), ("/pay/orderquery", false, Operation::Query));
    let close = CloseOrder { out_trade_no: String::new() };
    assert_eq!(row(&close), ("/pay/closeorder", false, Operation::Close));
    assert_eq!(row(&refund()), ("/secapi/pay/refund", true, Operation::Refund));
    assert_eq!(row(&refund_query()), ("/pay/refundquery", false, Operation::Query));
    assert_eq!(row(&bill()), ("/pay/downloadbill", false, Operation::Bill));
}

#[test]
fn partner_mode_names_the_sub_merchant() {
    let caller =
        Caller { sub_appid: Some("wxsub".to_owned()), sub_mch_id: Some("1900000002".to_owned()), ..caller() };
    let body = request_body(&query(), &caller, "n", SignType::Md5, &key()).unwrap();
    let fields = parse_xml(body.as_bytes()).unwrap().verify(&key(), None).unwrap();
    assert_eq!((fields.get("sub_appid"), fields.get("sub_mch_id")), (Some("wxsub"), Some("1900000002")));
}

#[test]
fn what_cannot_be_sent_is_refused() {
    struct Own(Fields);
    impl Request for Own {
        fn path(&self) -> &'static str {
            "/"
        }
        fn operation(&self) -> Operation {
            Operation::Other
        }
        fn fields(&self) -> Fields {
            self.0.clone()
        }
    }
    let body = |name, value| request_body(&Own(of([(name, value)])), &caller(), "n", SignType::Md5, &key());
    for name in ["sign", "appid", "mch_id", "nonce_str", "sign_type"] {
        assert_eq!(body(name, "1"), Err(UnwritableError::Reserved { field: name.to_owned() }));
    }
    assert_eq!(body("attach", "a\rb"), Err(UnwritableError::Character { field: "attach".to_owned() }));
    assert_eq!(body("a b", "1"), Err(UnwritableError::Name { field: "a b".to_owned() }));
}

fn answer<C: Call>(call: &C, name: &str) -> Result<C::Answer, AnswerError> {
    let all = vectors("v2");
    read_answer(call, &caller(), all["answers"][name].as_str().unwrap().as_bytes(), &key())
}

#[test]
fn every_answer_is_accounted_for() {
    let all = vectors("v2");
    let names: Vec<_> = all["answers"].as_object().unwrap().keys().cloned().collect();
    let read = [
        "ORDERPAID",
        "closeorder",
        "orderquery paid",
        "orderquery unpaid",
        "refund",
        "refundquery",
        "unifiedorder",
    ];
    assert_eq!(names, read);
    for body in all["answers"].as_object().unwrap().values() {
        let refused = read_answer(&query(), &caller(), body.as_str().unwrap().as_bytes(), &other_key());
        assert_eq!(refused, Err(AnswerError::Sign(SignError::Mismatch)));
    }
}

#[test]
fn orders_are_answered() {
    let prepaid = answer(&order(Trade::Native { product_id: "p".to_owned() }), "unifiedorder").unwrap();
    assert_eq!(prepaid.prepay_id, "wx201410272009395522657a690389285100");
    let code_url = "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00";
    assert_eq!((prepaid.code_url.as_deref(), prepaid.mweb_url), (Some(code_url), None));
    let paid = answer(&query(), "orderquery paid").unwrap();
    assert_eq!((paid.trade_state.as_str(), paid.transaction.unwrap().total_fee), ("SUCCESS", fen(100)));
    let unpaid = answer(&query(), "orderquery unpaid").unwrap();
    assert_eq!((unpaid.trade_state.as_str(), unpaid.transaction), ("NOTPAY", None));
    assert_eq!(unpaid.fields.get("total_fee"), Some("100"));
    answer(&CloseOrder { out_trade_no: String::new() }, "closeorder").unwrap();
}

#[test]
fn refunds_are_answered() {
    let accepted = answer(&refund(), "refund").unwrap();
    assert_eq!((accepted.transaction_id.as_str(), accepted.out_trade_no.as_str()), ("42", "payonce-0001"));
    assert_eq!((accepted.out_refund_no.as_str(), accepted.refund_id.as_str()), ("r1", "50"));
    assert_eq!((accepted.refund_fee, accepted.settlement_refund_fee), (fen(40), Some(fen(35))));
    assert_eq!((accepted.cash_refund_fee, accepted.coupons.len()), (Some(fen(30)), 1));
    assert_eq!((accepted.coupons[0].id.as_deref(), accepted.coupons[0].fee), (Some("10000"), Some(fen(5))));
}

#[test]
fn numbered_refunds_are_read_with_their_coupons() {
    let queried = answer(&refund_query(), "refundquery").unwrap();
    assert_eq!((queried.transaction_id.as_str(), queried.out_trade_no.as_str()), ("42", "payonce-0001"));
    assert_eq!((queried.total_fee, queried.total_refund_count), (Some(fen(100)), Some(12)));
    let [first, second] = &queried.refunds[..] else { panic!("{:?}", queried.refunds) };
    assert_eq!((first.out_refund_no.as_str(), first.refund_id.as_str()), ("r1", "50"));
    assert_eq!((first.refund_fee, first.settlement_refund_fee), (fen(40), Some(fen(35))));
    assert_eq!(
        (first.refund_status.as_str(), first.refund_channel.as_deref()),
        ("SUCCESS", Some("ORIGINAL"))
    );
    assert_eq!(first.refund_account.as_deref(), Some("REFUND_SOURCE_RECHARGE_FUNDS"));
    assert_eq!(first.refund_recv_account.as_deref(), Some("招商银行信用卡0403"));
    assert_eq!(first.refunded_at().unwrap().0, 1_750_000_000);
    let coupons: Vec<_> = first.coupons.iter().map(|coupon| (coupon.id.as_deref(), coupon.fee)).collect();
    assert_eq!(coupons, [(Some("10000"), Some(fen(5))), (Some("10001"), Some(fen(1)))]);
    assert_eq!((second.refund_status.as_str(), second.refunded_at()), ("PROCESSING", None));
    assert!(second.coupons.is_empty() && !format!("{queried:?}").contains("招商银行"));
}

#[test]
fn table_of_answers_that_are_no_success() {
    let unsigned = |text: &str| read_answer(&query(), &caller(), text.as_bytes(), &key()).unwrap_err();
    let signed = |mut fields: Fields, name, value| {
        fields.insert(name, value);
        read_answer(&query(), &caller(), signed(fields, SignType::Md5).as_bytes(), &key()).unwrap_err()
    };
    let refused = "<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>";
    assert_eq!(unsigned(refused), AnswerError::Refused { return_msg: "签名错误".to_owned() });
    assert_eq!(unsigned("<xml><return_code>SUCCESS</return_code></xml>"), SignError::Missing.into());
    let no_code = |field: &str| AnswerError::NoOutcome(FieldError::Missing { field: field.to_owned() });
    assert_eq!(unsigned("<xml></xml>"), no_code("return_code"));
    let not_a_code = |field| AnswerError::NoOutcome(FieldError::NotACode { field });
    assert_eq!(unsigned("<xml><return_code>OK</return_code></xml>"), not_a_code("return_code"));
    assert_eq!(signed(payment(), "result_code", "OK"), not_a_code("result_code"));
    let missing = |field: &str| AnswerError::from(FieldError::Missing { field: field.to_owned() });
    assert_eq!(signed(payment(), "result_code", ""), no_code("result_code"));
    assert_eq!(signed(payment(), "trade_state", ""), missing("trade_state"));
    let mut paid = payment();
    paid.insert("trade_state", "REFUND");
    assert_eq!(signed(paid, "transaction_id", ""), missing("transaction_id"));
}

/// A genuine answer in the place of another is no answer to the call.
#[test]
fn an_answer_about_something_else_is_refused_by_name() {
    fn about<C: Call>(call: &C, name: &str) -> Option<&'static str> {
        match answer(call, name) {
            Ok(_) => None,
            Err(AnswerError::AboutAnother { field }) => Some(field),
            Err(error) => panic!("{error}"),
        }
    }
    let (one, other) = ("payonce-0001".to_owned(), "payonce-0002".to_owned());
    for (number, field) in [
        (OrderNumber::OutTradeNo(one), None),
        (OrderNumber::OutTradeNo(other.clone()), Some("out_trade_no")),
        (OrderNumber::TransactionId("4200000000202506150000000001".to_owned()), None),
        (OrderNumber::TransactionId("42".to_owned()), Some("transaction_id")),
    ] {
        assert_eq!(about(&OrderQuery(number.clone()), "orderquery paid"), field, "{number:?}");
    }
    let unpaid = OrderQuery(OrderNumber::OutTradeNo(other.clone()));
    assert_eq!(about(&unpaid, "orderquery unpaid"), Some("out_trade_no"));

    let other_number = Refund { out_refund_no: "r2".to_owned(), ..refund() };
    assert_eq!(about(&other_number, "refund"), Some("out_refund_no"));
    let other_order = Refund { order: OrderNumber::OutTradeNo(other.clone()), ..refund() };
    assert_eq!(about(&other_order, "refund"), Some("out_trade_no"));

    for (of, field) in [
        (RefundNumber::OutTradeNo(other), Some("out_trade_no")),
        (RefundNumber::TransactionId("42".to_owned()), None),
        (RefundNumber::TransactionId("43".to_owned()), Some("transaction_id")),
        (RefundNumber::OutRefundNo("r2".to_owned()), None),
        (RefundNumber::OutRefundNo("r3".to_owned()), Some("out_refund_no")),
        (RefundNumber::RefundId("51".to_owned()), None),
        (RefundNumber::RefundId("52".to_owned()), Some("refund_id")),
    ] {
        assert_eq!(about(&RefundQuery { of: of.clone(), offset: None }, "refundquery"), field, "{of:?}");
    }
}

/// Nor is the answer to another caller, whether it says yes or no.
#[test]
fn an_answer_to_another_caller_is_refused_by_name() {
    let all = vectors("v2");
    let other = Caller::merchant("wx0123456789abcdef", "1900000002");
    let sub = Caller { sub_mch_id: Some("1900000109".to_owned()), ..caller() };
    for name in ["orderquery paid", "ORDERPAID"] {
        let body = all["answers"][name].as_str().unwrap().as_bytes();
        let error = read_answer(&query(), &other, body, &key()).unwrap_err();
        assert_eq!(error, AnswerError::AboutAnother { field: "mch_id" });
        assert_eq!(error.retry(), Retry::Query);
    }
    let mut fields = payment();
    fields.insert("trade_state", "NOTPAY");
    fields.insert("sub_mch_id", "1900000108");
    let body = signed(fields, SignType::Md5);
    let error = read_answer(&query(), &sub, body.as_bytes(), &key()).unwrap_err();
    assert_eq!(error, AnswerError::AboutAnother { field: "sub_mch_id" });
    read_answer(&query(), &caller(), body.as_bytes(), &key()).unwrap();
}

#[test]
fn failure_carries_code_hint_and_retry() {
    let Err(AnswerError::Failed(failure)) = answer(&query(), "ORDERPAID") else { panic!("no failure") };
    assert_eq!((failure.err_code.as_str(), failure.err_code_des.as_str()), ("ORDERPAID", "该订单已支付"));
    assert_eq!((failure.retry(), failure.hint()), (Retry::Query, "the order is paid already; query it"));
    let said = failure.to_string();
    assert!(said.contains("ORDERPAID") && said.contains("query it"), "{said}");
}

#[test]
fn table_of_retries() {
    let retry = |code: &str| {
        let mut fields = payment();
        fields.insert("result_code", "FAIL");
        fields.insert("err_code", code);
        let answer = read_answer(&query(), &caller(), signed(fields, SignType::Md5).as_bytes(), &key());
        answer.unwrap_err().retry()
    };
    for (codes, expected) in [
        ("SYSTEMERROR BIZERR_NEED_RETRY SYSTEM_ERROR BIZ_ERR_NEED_RETRY", Retry::Same),
        ("FREQUENCY_LIMITED INVALID_REQ_TOO_MUCH ORDER_NOT_READY", Retry::Later),
        ("ORDERPAID TRADE_STATE_ERROR USERPAYING BANKERROR ERROR OUT_TRADE_NO_USED", Retry::Query),
        ("ORDER_PAID USER_PAYING BANK_ERROR", Retry::Query),
        ("CODE_OF_TOMORROW", Retry::Query),
        ("", Retry::Query),
        ("ORDERCLOSED ORDERREVERSED BUYER_MISMATCH NOTSUPORTCARD ORDER_CLOSED", Retry::New),
        ("AUTHCODEEXPIRE AUTH_CODE_ERROR AUTH_CODE_INVALID", Retry::New),
        ("REFUNDNOTEXIST NOTENOUGH NO_AUTH ORDER_NOT_EXIST RULE_LIMIT NOT_ENOUGH", Retry::No),
        ("NOAUTH ORDERNOTEXIST INVALID_REQUEST APPID_NOT_EXIST MCHID_NOT_EXIST", Retry::No),
        ("APPID_MCHID_NOT_MATCH LACK_PARAMS SIGNERROR XML_FORMAT_ERROR POST_DATA_EMPTY NOT_UTF8", Retry::No),
        ("REQUIRE_POST_METHOD PARAM_ERROR TRADE_ERROR RULELIMIT CERT_ERROR TRADE_OVERDUE", Retry::No),
        ("USER_ACCOUNT_ABNORMAL INVALID_TRANSACTIONID REFUND_FEE_MISMATCH REVERSE_EXPIRE", Retry::No),
    ] {
        codes.split(' ').for_each(|code| assert_eq!(retry(code), expected, "{code}"));
    }
    let refused = |text: &str| AnswerError::Refused { return_msg: text.to_owned() }.retry();
    assert_eq!((refused("签名错误"), refused("SYSTEMERROR")), (Retry::No, Retry::Same));
    assert_eq!(AnswerError::Sign(SignError::Mismatch).retry(), Retry::Query);
}

/// What is a no, and what leaves it open what became of the call.
#[test]
fn table_of_what_leaves_the_outcome_open() {
    let failed =
        |code: &str| AnswerError::from(Failure { err_code: code.to_owned(), err_code_des: String::new() });
    for (codes, expected) in [
        ("SYSTEMERROR SYSTEM_ERROR BIZERR_NEED_RETRY FREQUENCY_LIMITED ORDER_NOT_READY", true),
        ("USERPAYING BANKERROR ERROR CODE_OF_TOMORROW", true),
        ("", true),
        ("ORDERPAID ORDER_PAID OUT_TRADE_NO_USED TRADE_STATE_ERROR ORDERCLOSED NOTENOUGH", false),
        ("SIGNERROR NOAUTH ORDERNOTEXIST REFUNDNOTEXIST PARAM_ERROR", false),
    ] {
        let open = codes.split(' ').filter(|code| failed(code).leaves_outcome_open() != expected);
        assert_eq!(open.collect::<Vec<_>>(), Vec::<&str>::new(), "not {expected}");
    }
    let missing = || FieldError::Missing { field: "prepay_id".to_owned() };
    for (error, expected) in [
        (AnswerError::Refused { return_msg: "签名错误".to_owned() }, false),
        (AnswerError::Refused { return_msg: "SystemError".to_owned() }, true),
        (SignError::Mismatch.into(), true),
        (AnswerError::NoOutcome(missing()), true),
        (AnswerError::AboutAnother { field: "out_trade_no" }, true),
        // A success that lacks something has happened.
        (missing().into(), false),
    ] {
        assert_eq!(error.leaves_outcome_open(), expected, "{error}");
    }
}

/// A code that both protocols have asks for the same in both.
#[test]
fn codes_ask_for_the_same_as_in_apiv3() {
    for (v2, v3, status) in [
        ("SYSTEMERROR", "SYSTEM_ERROR", 500),
        ("ORDERPAID", "ORDER_PAID", 400),
        ("ORDERCLOSED", "ORDER_CLOSED", 400),
        ("OUT_TRADE_NO_USED", "OUT_TRADE_NO_USED", 403),
        ("NOTENOUGH", "NOT_ENOUGH", 403),
        ("REFUNDNOTEXIST", "REFUND_NOT_EXISTS", 404),
        ("ORDERNOTEXIST", "ORDER_NOT_EXIST", 404),
        ("FREQUENCY_LIMITED", "FREQUENCY_LIMITED", 429),
        ("BANKERROR", "BANK_ERROR", 500),
        ("USERPAYING", "USER_PAYING", 202),
    ] {
        let body = format!("{{\"code\":\"{v3}\"}}");
        let error = ApiError::new(status, None, body.as_bytes());
        let failure = Failure { err_code: v2.to_owned(), err_code_des: String::new() };
        let (v3, v2) = (error.retry(Operation::Prepay), failure.retry());
        assert_eq!(format!("{v2:?}"), format!("{v3:?}"), "{error}");
    }
}

#[test]
fn first_bytes_tell_a_bill_from_a_failure() {
    for (first, expected) in [
        ("交易时间,公众账号ID", Some(false)),
        ("\u{feff}交易时间,", Some(false)),
        ("`2025-06-15", Some(false)),
        ("<xml><return_code>", Some(true)),
        ("\u{feff}<xml>", Some(true)),
        ("\r\n <xml>", Some(true)),
        ("<html>", Some(true)),
        ("<", Some(true)),
        ("", None),
        ("\n", None),
        ("\u{feff}", None),
    ] {
        assert_eq!(is_bill_failure(first.as_bytes()), expected, "{first:?}");
    }
    assert_eq!(is_bill_failure(b"\x1f\x8b\x08"), Some(false));
    assert_eq!(is_bill_failure(b"\xef"), None);
    assert_eq!(is_bill_failure(b"\xef\xbb"), None);
}

#[test]
fn table_of_bill_failures() {
    for (return_msg, error_code, reason, retry) in [
        ("No Bill Exist", "20002", BillReason::NoBill, Retry::No),
        ("NO Bill Exist", "", BillReason::NoBill, Retry::No),
        ("Bill Creating", "", BillReason::NotReady, Retry::Later),
        ("bill creating", "20002", BillReason::NotReady, Retry::Later),
        ("sign error", "20001", BillReason::Sign, Retry::No),
        ("SIGN ERROR", "20001", BillReason::Sign, Retry::No),
        ("invalid bill_type", "20001", BillReason::Parameters, Retry::No),
        ("data format error", "20001", BillReason::Parameters, Retry::No),
        ("missing parameter", "20001", BillReason::Parameters, Retry::No),
        ("CompressGZip Error", "20003", BillReason::System, Retry::Later),
        ("UnCompressGZip Error", "", BillReason::System, Retry::Later),
        ("SYSTEMERROR", "20100", BillReason::System, Retry::Later),
        ("words of tomorrow", "20002", BillReason::NoBill, Retry::No),
        ("words of tomorrow", "20007", BillReason::System, Retry::Later),
        ("words of tomorrow", "20001", BillReason::Other, Retry::No),
    ] {
        let body = format!(
            "<xml><return_code><![CDATA[FAIL]]></return_code>\n<return_msg><![CDATA[{return_msg}]]></return_msg>\n\
             <error_code><![CDATA[{error_code}]]></error_code></xml>"
        );
        let failure = read_bill_failure(body.as_bytes()).unwrap();
        assert_eq!((failure.reason, failure.reason.retry()), (reason, retry), "{return_msg} {error_code}");
        assert_eq!(failure.return_msg, return_msg);
        assert_eq!(failure.error_code.unwrap_or_default(), error_code);
    }
}
