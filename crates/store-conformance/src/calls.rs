//! The calls that whoever delivers makes, one by one, for tests that count what a store asks of its database.

use payonce_core::{
    Fact, Store,
    delivery::{EndpointId, Next},
    store::delivery::{Due, FanOut},
};

use crate::{
    desk::Desk,
    facts::{paid, registered},
    post::{AT_ONCE, Post},
};

/// A message of each of some orders on its way to an endpoint that asks for order.
pub struct DeliveryCalls<'a> {
    post: Post<'a>,
    endpoint: EndpointId,
    steps: Vec<FanOut>,
    due: Vec<Due>,
    made: usize,
}

/// As many as any call here is about.
const ALL: usize = 1000;

impl<'a> DeliveryCalls<'a> {
    /// Writes so many messages, under orders of this name; nothing is fanned out.
    ///
    /// # Panics
    /// If the store does not do what it should.
    pub async fn prepare(store: &'a dyn Store, name: &str, messages: usize) -> Self {
        let (desk, post) = (Desk::at(store), Post::at(store));
        let order = |i: usize| format!("{name}{i}");
        let facts =
            (0..messages).flat_map(|i| [registered(&order(i)), Fact::Paid(paid(&order(i), &order(i)))]);
        desk.apply_all(&facts.collect::<Vec<_>>()).await;
        let before = desk.messages().await.len() - messages;
        let endpoint = crate::post::endpoint(&["payment.*"], true);
        let start = payonce_core::store::Position(i64::try_from(before).expect("BUG: few messages"));
        let start = payonce_core::store::delivery::Start::After(start);
        let endpoint = post.put(&format!("{name}-endpoint"), &endpoint, start).await;
        let filter = post.view(endpoint).await.endpoint.filter;
        let from = post.view(endpoint).await.fanned_out;
        let page = store.deliveries().envelopes_after(from, ALL).await.expect("BUG: the store reads");
        let steps: Vec<FanOut> = FanOut::plan(endpoint, &filter, from, &page).into_iter().collect();
        assert_eq!(steps[0].chosen.len(), messages);
        Self { post, endpoint, steps, due: Vec::new(), made: 0 }
    }

    /// Makes the next call, and says which it was.
    ///
    /// # Panics
    /// If the store does not do what it should.
    pub async fn next(&mut self) -> Option<&'static str> {
        self.made += 1;
        match self.made {
            1 => {
                let moved = self.post.deliveries.fan_out(&self.steps).await.expect("BUG: the store fans out");
                assert_eq!(moved, [self.endpoint]);
                Some("fan out")
            }
            2 | 4 => {
                self.due = self.post.take("a", self.endpoint, ALL).await;
                assert_eq!(self.due.len(), self.steps[0].chosen.len());
                Some("take")
            }
            3 => self.settle(AT_ONCE, "settle as failed").await,
            5 => self.settle(Next::Delivered, "settle as delivered").await,
            _ => None,
        }
    }

    async fn settle(&mut self, next: Next, call: &'static str) -> Option<&'static str> {
        assert_eq!(self.post.settle("a", &self.due, next).await, [0_i64; 0]);
        Some(call)
    }
}
