//! The endpoints that the configuration defines, put into the database: at the start, and when the configuration changes.
//!
//! Invariants: what is there already is not written again, so that nodes which start together come to the same, and none
//! undoes what another one did; whether an endpoint is enabled, and what is due to it, is never touched. One that is no
//! longer configured stays as it is and is the API's from then on: a line that went missing loses nothing.

use std::collections::BTreeMap;

use payonce_core::{
    Store, StoreError,
    delivery::{Endpoint, EndpointName, Settings},
    store::delivery::{EndpointView, Start},
};
use payonce_dispatch::{OpenError, Senders};
use rand::{SeedableRng as _, rngs::StdRng};

use super::{Delivery, NO_SEALING_KEY};
use crate::config::{EndpointSettings, Place};

/// Why the configuration's endpoints are not in the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointsError {
    /// Nothing seals their secrets.
    #[error("{place}: endpoint {name}: {NO_SEALING_KEY}, and start payonce anew")]
    NoSealingKey {
        /// The first of them.
        name: EndpointName,
        /// Where it stands.
        place: Place,
    },
    /// There would be no way to one.
    #[error("{place}: endpoint {name}: {source}; a change of [delivery] counts after a new start of payonce")]
    NoWay {
        /// Which one.
        name: EndpointName,
        /// Where it stands.
        place: Place,
        /// Why.
        source: OpenError,
    },
    /// The database could not be read or written.
    #[error("the endpoints of the configuration could not be written: {}", .0.with_causes())]
    Store(#[from] StoreError),
}

impl Delivery {
    /// Where the configuration of this node defines an endpoint.
    pub(crate) fn place_of(&self, name: &EndpointName) -> Option<Place> {
        self.places.load().get(name).cloned()
    }

    /// Defines these endpoints, and no others, by the configuration.
    pub(crate) async fn configure(
        &self,
        store: &dyn Store,
        endpoints: &[EndpointSettings],
    ) -> Result<(), EndpointsError> {
        let _alone = self.defining.lock().await;
        // Order matters: nothing is written unless all can be.
        let ways: Vec<_> = endpoints.iter().map(|wanted| self.way(wanted)).collect::<Result<_, _>>()?;
        let known = match store.deliveries().endpoints().await {
            // Nothing is to be written, unless one was let go: callbacks do not wait for that.
            Err(error) if endpoints.is_empty() => {
                tracing::error!(
                    error = error.with_causes(),
                    "endpoints cannot be read; messages to them wait"
                );
                return Ok(());
            }
            known => known?,
        };
        let mut changed = 0;
        for (wanted, senders) in endpoints.iter().zip(ways) {
            let view = known.iter().find(|view| view.name == wanted.name);
            if view.is_none_or(|view| !is_so(view, wanted, senders)) {
                define(store, wanted, view, senders).await?;
                changed += 1;
            }
        }
        let is_gone = |view: &&EndpointView| {
            view.endpoint.settings.is_configured && endpoints.iter().all(|wanted| wanted.name != view.name)
        };
        for view in known.iter().filter(is_gone) {
            release(store, view).await?;
            changed += 1;
        }
        let places = endpoints.iter().map(|wanted| (wanted.name.clone(), wanted.place.clone()));
        self.places.store(BTreeMap::from_iter(places).into());
        if changed > 0 {
            self.wake.endpoints_changed();
        }
        Ok(())
    }

    fn way(&self, wanted: &EndpointSettings) -> Result<&Senders, EndpointsError> {
        let (name, place) = (wanted.name.clone(), wanted.place.clone());
        let Some(senders) = self.senders.as_deref() else {
            return Err(EndpointsError::NoSealingKey { name, place });
        };
        match senders.with(wanted.secrets.clone(), &wanted.endpoint) {
            Ok(_) => Ok(senders),
            Err(source) => Err(EndpointsError::NoWay { name, place, source }),
        }
    }
}

/// Whether an endpoint is as the configuration wants it. What an older key sealed is not: it is sealed anew.
fn is_so(view: &EndpointView, wanted: &EndpointSettings, senders: &Senders) -> bool {
    let sealed = &view.endpoint.sealed;
    let is_defined_so = view.endpoint == Endpoint { sealed: sealed.clone(), ..wanted.endpoint.clone() };
    is_defined_so
        && senders.keys.is_of_newest(sealed)
        && senders.keys.open(&view.name, sealed).is_ok_and(|secrets| secrets == wanted.secrets)
}

async fn define(
    store: &dyn Store,
    wanted: &EndpointSettings,
    view: Option<&EndpointView>,
    senders: &Senders,
) -> Result<(), StoreError> {
    let sealed = senders.keys.seal(&wanted.name, &wanted.secrets, &mut StdRng::from_os_rng());
    let endpoint = Endpoint { sealed, ..wanted.endpoint.clone() };
    store.deliveries().put_endpoint(&wanted.name, &endpoint, wanted.start).await?;
    let (endpoint, place) = (wanted.name.as_str(), &wanted.place);
    match view {
        Some(view) if !view.endpoint.settings.is_configured => {
            tracing::warn!(endpoint, %place, "the API defined this endpoint until now; now the configuration does");
        }
        _ => tracing::info!(endpoint, %place, "the configuration defines this endpoint"),
    }
    Ok(())
}

async fn release(store: &dyn Store, view: &EndpointView) -> Result<(), StoreError> {
    let settings = Settings { is_configured: false, ..view.endpoint.settings.clone() };
    let endpoint = Endpoint { settings, ..view.endpoint.clone() };
    store.deliveries().put_endpoint(&view.name, &endpoint, Start::Now).await?;
    tracing::warn!(
        endpoint = view.name.as_str(),
        "this endpoint is no longer configured; it stays as it is, and messages still go to it: disable or remove it by \
         the API if they should not"
    );
    Ok(())
}
