//! What a run starts from: keys, a configuration, a database with its orders, callbacks signed ahead of time.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use anyhow::{Context, ensure};
use payonce_core::{
    AppId, Attempts, Clock as _, Currency, Fact, Fen, Json, MerchantId, OrderKey, OutTradeNo, Paid, Policy,
    Submission, SystemClock, Terms, UnixMillis, WechatPaymentId, apply,
    fact::{Content, Source},
};
use payonce_simulator::{Books, Merchant, Notification, Platform};
use rand::{SeedableRng as _, rngs::StdRng};
use tempfile::TempDir;
use wechatpay::UnixSeconds;

use crate::database::{Database, Kind};

/// Facts in a transaction while the database is filled.
const FILL_BATCH: usize = 5000;

const AMOUNT_FEN: i64 = 5990;

/// Opens the API of a server that is measured.
pub(crate) const API_KEY: &str = "a-key-of-the-benchmark-used-by-nobody";

/// A folder with everything that a server needs, and what to send to it.
pub(crate) struct Fixture {
    pub config: PathBuf,
    platform: Platform,
    merchant: Merchant,
    notifications: Vec<Notification>,
    orders_before: u64,
    // Order matters: the database is closed before its folder goes.
    database: Database,
    _folder: TempDir,
}

impl Fixture {
    pub(crate) fn make(kind: Kind, payments: u32, orders_before: u64) -> anyhow::Result<Self> {
        let mut rng = StdRng::seed_from_u64(1);
        let platform = Platform::generate()?;
        let merchant = Merchant::generate(&mut rng);
        // Beside the build, on a real disk: /tmp is memory on some machines, where a commit costs nothing.
        let folder = tempfile::Builder::new().prefix("payonce-bench-").tempdir_in(".")?;
        let database = Database::make(kind, folder.path())?;
        let config = write_configuration(folder.path(), database.url(), &platform, &merchant)?;
        let (now, mut books) = (now(), Books::new());
        books.enrol(merchant.account().clone(), &mut rng);
        let mut notifications = Vec::with_capacity(payments as usize);
        for _ in 0..payments {
            let number = books.free_out_trade_no(merchant.mchid(), now, &mut rng);
            books.prepay(merchant.terms(&number, AMOUNT_FEN), now, &mut rng)?;
            let payment = books.pay(&merchant.order_key(&number), None, now, &mut rng)?;
            notifications.push(Notification::new(payment, &merchant, now, &mut rng));
        }
        let fixture =
            Self { config, platform, merchant, notifications, database, orders_before, _folder: folder };
        fixture.fill()?;
        Ok(fixture)
    }

    /// Registers the orders, behind `orders_before` others that are paid already.
    fn fill(&self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let store = runtime.block_on(self.database.open())?;
        let commit = |facts: Vec<Fact>| -> anyhow::Result<()> {
            let batch: Vec<Submission> = facts.into_iter().map(Submission::from).collect();
            for outcome in
                runtime.block_on(apply(&*store, &batch, &Policy::default(), SystemClock.now(), &Attempts(1)))
            {
                outcome?;
            }
            Ok(())
        };
        let (merchant, terms) = (MerchantId::parse(self.merchant.mchid())?, self.terms()?);
        let order = |number: &str| -> anyhow::Result<Fact> {
            let key = OrderKey { merchant: merchant.clone(), out_trade_no: OutTradeNo::parse(number)? };
            Ok(Fact::Registered { key, terms: terms.clone() })
        };
        for from in (0..self.orders_before).step_by(FILL_BATCH) {
            let to = self.orders_before.min(from + FILL_BATCH as u64);
            let numbers = from..to;
            commit(numbers.clone().map(|n| order(&earlier_number(n))).collect::<Result<_, _>>()?)?;
            commit(numbers.map(|n| earlier_payment(n, &merchant, &terms)).collect::<Result<_, _>>()?)?;
        }
        for some in self.notifications.chunks(FILL_BATCH) {
            let numbers = some.iter().map(|notification| &notification.payment().out_trade_no);
            commit(numbers.map(|number| order(number)).collect::<Result<_, _>>()?)?;
        }
        Ok(())
    }

    fn terms(&self) -> anyhow::Result<Terms> {
        Ok(Terms {
            amount: Fen::new(AMOUNT_FEN)?,
            currency: Currency::CNY,
            appid: AppId::parse(self.merchant.appid())?,
            sub_merchant: None,
            expires_at: None,
        })
    }

    /// The id of the message of a payment.
    pub(crate) fn message_id(&self, payment: u32) -> String {
        let number = &self.notifications[payment as usize].payment().out_trade_no;
        format!("order:{}:{number}:1", self.merchant.mchid())
    }

    /// Whole HTTP requests, one a payment, signed on all cores.
    pub(crate) fn presigned(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let path = Arc::new(format!("/notify/v3/{}", self.merchant.mchid()));
        let cores = thread::available_parallelism()?.get();
        let share = self.notifications.len().div_ceil(cores).max(1);
        let parts = thread::scope(|scope| {
            let signers: Vec<_> = self
                .notifications
                .chunks(share)
                .enumerate()
                .map(|(part, notifications)| {
                    let path = Arc::clone(&path);
                    scope.spawn(move || {
                        let mut rng = StdRng::seed_from_u64(part as u64);
                        let request = |notification| self.request(&path, notification, &mut rng);
                        notifications.iter().map(request).collect::<Vec<_>>()
                    })
                })
                .collect();
            signers.into_iter().map(thread::ScopedJoinHandle::join).collect::<Result<Vec<_>, _>>()
        });
        let parts = parts.map_err(|_| anyhow::anyhow!("a signing thread panicked"))?;
        Ok(parts.into_iter().flatten().collect())
    }

    fn request(&self, path: &str, notification: &Notification, rng: &mut StdRng) -> Vec<u8> {
        let callback = notification.signed(&self.platform, now(), rng);
        let body = callback.body();
        let mut head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in callback.headers() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }

    /// Whether the database holds what it should: a benchmark of something wrong is worth nothing.
    pub(crate) fn check(&self, payments: u32) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let store = runtime.block_on(self.database.open())?;
        let counts = runtime.block_on(store.counts())?;
        let expected = self.orders_before + u64::from(payments);
        ensure!(
            (counts.orders, counts.payments, counts.messages) == (expected, expected, expected),
            "the database does not hold one payment and one message for each of {expected} orders: {counts:?}"
        );
        Ok(())
    }
}

fn now() -> UnixSeconds {
    UnixSeconds(SystemClock.now().seconds())
}

/// Spreads `n` over ten digits without repeating one: the factor has no common divisor with 10^10.
fn ten_digits(n: u64) -> u64 {
    const FACTOR: u128 = 7_236_067_977;
    u64::try_from(u128::from(n) * FACTOR % 10_000_000_000).expect("BUG: below 10^10")
}

/// An order number of the past: a time that grows, and digits that look random.
fn earlier_number(n: u64) -> String {
    format!("20250101{:06}{:010}", n / 1000 % 1_000_000, ten_digits(n))
}

fn earlier_payment(n: u64, merchant: &MerchantId, terms: &Terms) -> anyhow::Result<Fact> {
    let content = Content {
        key: OrderKey { merchant: merchant.clone(), out_trade_no: OutTradeNo::parse(&earlier_number(n))? },
        // As WeChat numbers them: a prefix, the day, ten digits in no order. 50,000 payments a day.
        payment: WechatPaymentId::parse(&format!(
            "4200000001{:08}{:010}",
            20_250_101 + n / 50_000,
            ten_digits(n)
        ))?,
        amount: terms.amount,
        currency: terms.currency,
        appid: terms.appid.clone(),
        sub_merchant: None,
    };
    let detail = r#"{"trade_type":"JSAPI","bank_type":"OTHERS","payer":{"openid":"oBENCH"}}"#;
    let detail = Json::parse(detail.to_owned())?;
    Ok(Fact::Paid(Paid { content, paid_at: Some(UnixMillis(0)), source: Source::Callback, detail }))
}

fn write_configuration(
    folder: &Path,
    database: &str,
    platform: &Platform,
    merchant: &Merchant,
) -> anyhow::Result<PathBuf> {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).context(name.to_owned());
    write("api.key", API_KEY)?;
    write("sealing.key", "YS1rZXktb2YtdGhlLWJlbmNobWFyay0zMi1ieXRlcyE=")?;
    write("apiv3.key", merchant.apiv3_key())?;
    write("pub_key.pem", platform.public_key_pem())?;
    write(
        "payonce.toml",
        &format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[api]\nkey_file = \"api.key\"\n[log]\nformat = \"json\"\n\
             [store]\nurl = \"{database}\"\n[[merchants]]\nmchid = \"{}\"\napiv3_key_file = \"apiv3.key\"\n[[merchants.platform_keys]]\n\
             public_key_id = \"{}\"\npublic_key_file = \"pub_key.pem\"\n[delivery]\nsealing_key_file = \"sealing.key\"\n\
             networks = [\"127.0.0.1\"]\nunencrypted = \"allow\"\n",
            merchant.mchid(),
            platform.serial()
        ),
    )?;
    Ok(folder.join("payonce.toml"))
}
