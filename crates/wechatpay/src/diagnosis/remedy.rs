//! What to do about each cause.

pub(super) const HEADERS_AS_THEY_CAME: &str = "\
    hand the Wechatpay-* headers on as they came; look at the proxy, gateway or framework in front, and at how \
    this copy was saved";

pub(super) const HEADER_MISSING: &str = "\
    let the proxy, CDN or WAF in front pass all Wechatpay-* headers; without any of them the request may not be \
    WeChat Pay's at all";

pub(super) const HEADER_MALFORMED: &str = "\
    compare the header with what WeChat Pay sent; a proxy may have cut it, or the request is forged";

pub(super) const BODY_TRUNCATED: &str = "\
    save the body whole, and look for a limit on bodies in the proxy in front and in what saved this copy";

pub(super) const SERIAL_ALTERED: &str =
    "find out who writes Wechatpay-Serial on the way and let it pass as it came";

pub(super) const SIGNATURE_TYPE_ALTERED: &str = "\
    find out who writes Wechatpay-Signature-Type on the way and let it pass as it came";

pub(super) const CERTIFICATE_EXPIRED: &str = "\
    download the platform certificates (GET /v3/certificates) or the WeChat Pay public key, and configure what \
    is valid now";

pub(super) const GREY_PUBLIC_KEY: &str = "\
    on the merchant platform, under API security, download the WeChat Pay public key and configure it with this \
    id beside the certificates: during the switch both sign";

pub(super) const GREY_CERTIFICATE: &str = "\
    download the platform certificates (GET /v3/certificates) and configure them beside the public key until the \
    switch is at 100 %";

pub(super) const NEW_CERTIFICATE: &str = "\
    download the platform certificates (GET /v3/certificates) and configure the new one beside the old one";

pub(super) const OTHER_PUBLIC_KEY: &str = "\
    compare public_key_id with the merchant platform's; each merchant has one of its own, so that the callback \
    may be another merchant's";

pub(super) const SERIAL_NONE: &str = "\
    WeChat Pay sends PUB_KEY_ID_… or hex digits here: something on the way wrote this";

pub(super) const MERCHANT_KEY_AS_PLATFORM_KEY: &str = "\
    configure WeChat Pay's public key (pub_key.pem) or platform certificate in its place; apiclient_cert.pem is \
    the merchant's own, with which WeChat Pay never signs";

pub(super) const MERCHANTS_NUMBER_IN_URL: &str = "\
    end the notify_url of that merchant's orders in that merchant's number";

pub(super) const UNKNOWN_MERCHANT: &str = "\
    configure that merchant, or mend the notify_url, which ends in the merchant's number";

pub(super) const SIGNED_IN_THE_FUTURE: &str = "set this machine's clock right (NTP): it is slow";

pub(super) const SIGNED_LONG_AGO: &str = "\
    set this machine's clock right if it is fast; else something kept the request and sent it again: WeChat Pay \
    signs every resend anew, so refusing it loses nothing";

pub(super) const SIGNATURE_PROBE: &str = "\
    nothing: it was refused as it should be, and the genuine callback follows on WeChat Pay's retry plan";

pub(super) const SM_SUITE: &str = "\
    build with the feature `sm`, or have the merchant's algorithm set back to RSA on the merchant platform";

pub(super) const OTHER_SUITE: &str = "\
    configure the key of the merchant's suite, as the merchant platform shows it (RSA, or SM on application)";

pub(super) const UNKNOWN_ALGORITHM: &str = "take a newer version that knows it";

pub(super) const WRONG_API_V3_KEY: &str = "\
    the APIv3 key was reset on the merchant platform, or mistyped, or is another merchant's, or is the APIv2 \
    key: set it anew there and configure the same; it cannot be read back";

pub(super) const API_V2_KEY_IN_PLACE: &str =
    "let the APIv3 key and the APIv2 key change places in the configuration";

pub(super) const NOT_A_NOTIFICATION: &str = "\
    keep it and report it: WeChat Pay signed something that is not as documented";

pub(super) const API_V2_KEY_MISSING: &str = "\
    configure the merchant's APIv2 key; or have WeChat Pay tell by APIv3: a refund without notify_url is told in \
    APIv2 if the merchant platform has a URL for it";

pub(super) const SIGN_MALFORMED: &str = "\
    compare the notice with what WeChat Pay sent; whatever has no good sign is not to be believed";

pub(super) const WRONG_API_V2_KEY: &str = "\
    the APIv2 key was reset on the merchant platform, or mistyped, or is another merchant's, or is the APIv3 \
    key: set it anew there and configure the same";

pub(super) const NONE_FOUND: &str = "\
    capture the request as it leaves the outermost proxy and compare it with this; if it comes from nobody you \
    know, it is forged, and refusing it is right";

pub(super) const BODY_ENDS: &str = "\
    an editor or a log may have done that to this copy alone; if the server refused it as well, verify over the \
    bytes as they came, before anything reads them as text";

pub(super) const BODY_CHARSET: &str = "\
    verify over the bytes as they came; whoever needs text reads them as UTF-8, whatever Content-Type says";

pub(super) const BODY_RAW: &str = "\
    verify over the bytes as they came: take the raw body, not a form, a parameter or a line of a log";

pub(super) const BODY_JSON: &str = "\
    verify over the bytes as they came, before anything parses them; look for a framework, gateway or WAF that \
    reads JSON and writes it anew";
