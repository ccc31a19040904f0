//! The page in a real browser: Chromium, told what to do through ChromeDriver. Where they are not installed, the tests say
//! that they did not run; with `CI=true` that is a failure.

use payonce_test_servers::{ChromeDriver, require};

use super::driver::Browser;
use crate::receiver::Receiver;
use crate::shop::Shop;

fn base(shop: &Shop) -> String {
    format!("{}/", shop.simulator.base_url())
}

/// Nobody reloads: orders, their states and their time-lines appear while one looks.
#[tokio::test]
async fn a_person_watches_orders_come_pays_one_and_reads_what_was_answered() {
    let Some(driver) = require(ChromeDriver::start()) else { return };
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    let browser = Browser::open(&driver, true).await;
    browser.go(&base(&shop)).await;
    browser.find("//*[@id='no-orders']").await;
    let mut order = shop.order("ORDER1");
    (order["notify_url"], order["description"]) = (receiver.url().into(), "<img src=x>茶".into());
    assert_eq!(shop.post("/v3/pay/transactions/jsapi", &order).await.status, 200);
    assert_eq!(browser.text("//tr[td/a='ORDER1']/td[3]").await, "<img src=x>茶");
    browser.click("//tr[td/a='ORDER1']//button[@class='pay']").await;
    // What stands then changes no more before the clock is stepped.
    browser.find("//tr[td/a='ORDER1']//span[@title='to be sent again']").await;
    assert_eq!(browser.text("//tr[td/a='ORDER1']/td[@class='state']").await, "paid");

    browser.click("//a[.='ORDER1']").await;
    browser.find("//table[@class='attempts']//span[@class='bad'][.='500']").await;
    receiver.answer(204);
    shop.simulator.step(std::time::Duration::from_secs(15));
    browser.find("//table[@class='attempts']//span[@class='good'][.='204']").await;
    browser.find("//span[@title='acknowledged']").await;

    browser.click("//a[@id='lang']").await;
    browser.find("//button[.='立即重发']").await;
    browser.click("//h1/a").await;
    browser.find("//h2[.='故障']").await;
    browser.write("//input[@name='order']", "B*").await;
    browser.click("//option[@value='duplicate']").await;
    browser.click("//form[@id='trouble']//button").await;
    browser.find("//table[@id='rules']//td[.='duplicate']").await;
    let rules = shop.sim("GET /_sim/trouble", serde_json::Value::Null).await;
    assert_eq!(rules["notices"][0]["when"]["order"], "B*");
}

/// The same with scripts switched off: forms do everything.
#[tokio::test]
async fn without_scripts_everything_works_by_forms() {
    let Some(driver) = require(ChromeDriver::start()) else { return };
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let browser = Browser::open(&driver, false).await;
    shop.place_for("ORDER1", &receiver.url()).await;
    browser.go(&base(&shop)).await;
    browser.find("//noscript/a").await;
    browser.click("//tr[td/a='ORDER1']//button[@class='cancel']").await;
    browser.click("//tr[td/a='ORDER1']//button[@class='pay']").await;
    assert_eq!(browser.text("//tr[td/a='ORDER1']/td[@class='state']").await, "paid");
    shop.simulator.quiet().await;
    browser.click("//a[.='ORDER1']").await;
    browser.find("//p[@class='cancelled']").await;
    browser.find("//span[@class='good'][.='204']").await;
    browser.click("//button[@class='resend']").await;
    receiver.until(2).await;
    browser.click("//h1/a").await;
    browser.click("//button[@name='seconds'][@value='60']").await;
    assert_eq!(browser.text("//*[@id='now']").await, "2025-06-15 23:07:40");
}
