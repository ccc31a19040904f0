//! The rate of `apply` on the store alone: no HTTP, no cryptography, one batch after another.

use std::time::Instant;

use payonce_core::{
    AppId, Currency, EventType, Fact, Fen, MerchantId, NotificationId, OrderKey, OutTradeNo, Paid, Policy,
    Submission, Terms, UnixMillis, WechatPaymentId, apply,
    fact::{Content, Source},
    store::Receipt,
};
use payonce_store_sqlite::{Options, SqliteStore};

fn rand(n: u64) -> u64 {
    let mut x = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 30;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 27)
}

fn key(n: u64) -> OrderKey {
    OrderKey {
        merchant: MerchantId::parse("1900000001").unwrap(),
        out_trade_no: OutTradeNo::parse(&format!("20261122{:06}{:010}", n / 1000, rand(n) % 10_000_000_000))
            .unwrap(),
    }
}

pub fn run(before: u64, n: u64, batch: usize, pages: u32) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in("/tmp")?;
    let mut options = Options::new(dir.path().join("p.db"));
    options.checkpoint_pages = pages;
    let store = SqliteStore::open(&options)?;
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let now = UnixMillis(1_790_000_000_000);
    let policy = Policy::default();
    let terms = Terms {
        amount: Fen::new(100).unwrap(),
        currency: Currency::CNY,
        appid: AppId::parse("wx0123456789abcdef").unwrap(),
        expires_at: None,
    };
    let register = |from: u64, to: u64, size: usize| {
        let all: Vec<u64> = (from..to).collect();
        for chunk in all.chunks(size) {
            let subs: Vec<Submission> = chunk
                .iter()
                .map(|&i| Fact::Registered { key: key(i), terms: terms.clone() }.into())
                .collect();
            for r in rt.block_on(apply(&store, &subs, &policy, now)) {
                r.unwrap();
            }
        }
    };
    let detail = r#"{"transaction_id":"1217752501201407033233368018","amount":{"payer_total":100,"total":100,"currency":"CNY","payer_currency":"CNY"},"mchid":"1230000109","trade_state":"SUCCESS","bank_type":"OTHERS","success_time":"2018-06-08T10:34:56+08:00","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"out_trade_no":"1217752501201407033233368018","appid":"wxd678efh567hg6787","trade_state_desc":"支付成功","trade_type":"JSAPI","attach":"cart=7","scene_info":{"device_id":"013467007045764"}}"#;
    let pay = |from: u64, to: u64, size: usize| -> f64 {
        let mut spent = 0.0;
        let all: Vec<u64> = (from..to).collect();
        for chunk in all.chunks(size) {
            let subs: Vec<Submission> = chunk
                .iter()
                .map(|&i| Submission {
                    fact: Fact::Paid(Paid {
                        content: Content {
                            key: key(i),
                            payment: WechatPaymentId::parse(&format!(
                                "420000026320261122{:010}",
                                (i as u128 * 7_236_067_977 % 10_000_000_000) as u64
                            ))
                            .unwrap(),
                            amount: terms.amount,
                            currency: terms.currency,
                            appid: terms.appid.clone(),
                        },
                        paid_at: Some(now),
                        source: Source::Callback,
                        detail: detail.into(),
                    }),
                    receipt: Some(Receipt::new(
                        MerchantId::parse("1900000001").unwrap(),
                        NotificationId::parse(&format!("{:016x}-{:016x}", rand(i), rand(i + 5))).unwrap(),
                        EventType::parse("TRANSACTION.SUCCESS").unwrap(),
                        now,
                    )),
                })
                .collect();
            let t = Instant::now();
            for r in rt.block_on(apply(&store, &subs, &policy, now)) {
                assert_eq!(r.unwrap(), payonce_core::Outcome::Applied);
            }
            spent += t.elapsed().as_secs_f64();
        }
        spent
    };
    if before > 0 {
        let t = Instant::now();
        register(0, before, 5000);
        pay(0, before, 5000);
        println!("preload {before}: {:.1}s", t.elapsed().as_secs_f64());
    }
    let t = Instant::now();
    register(before, before + n, 1000);
    println!("register {:.0}/s", n as f64 / t.elapsed().as_secs_f64());
    let cpu0 = cpu();
    let s = pay(before, before + n, batch);
    println!("pay {:.0}/s  cpu us/each {:.1}", n as f64 / s, (cpu() - cpu0) * 1e6 / n as f64);
    println!(
        "file {} MB wal {} MB",
        std::fs::metadata(dir.path().join("p.db"))?.len() / 1_000_000,
        std::fs::metadata(dir.path().join("p.db-wal"))?.len() / 1_000_000
    );
    Ok(())
}

fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
