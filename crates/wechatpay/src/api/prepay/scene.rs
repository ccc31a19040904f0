//! Where and with what the user pays. Invariant: `Debug` does not show where from. Deliberately absent: guessing the user's address.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::api::field::{InvalidField, Rule, text};
use crate::api::wire::open_list;

/// Where an order is placed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Scene {
    payer_client_ip: Option<IpAddr>,
    device_id: Option<String>,
    store_info: Option<Store>,
}

/// Without the user's address.
impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device_id, store_info, .. } = self;
        let mut shown = f.debug_struct("Scene");
        shown.field("device_id", device_id).field("store_info", store_info).finish_non_exhaustive()
    }
}

impl Scene {
    /// Nothing said yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The user's address as seen from the internet; needed for H5, where WeChat Pay compares it with the one that it
    /// sees itself.
    ///
    /// # Errors
    /// Where it is loopback or unspecified: that is this machine's.
    pub fn payer_client_ip(mut self, ip: IpAddr) -> Result<Self, InvalidField> {
        if ip.to_canonical().is_loopback() || ip.to_canonical().is_unspecified() {
            return Err(InvalidField::new("scene_info.payer_client_ip", Rule::NotTheUsers));
        }
        self.payer_client_ip = Some(ip);
        Ok(self)
    }

    /// The number of the shop or terminal, at most 32 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn device_id(mut self, device_id: &str) -> Result<Self, InvalidField> {
        self.device_id = Some(text("scene_info.device_id", device_id, 1, 32)?);
        Ok(self)
    }

    /// The shop.
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.store_info = Some(store);
        self
    }

    pub(in crate::api) fn has_store(&self) -> bool {
        self.store_info.is_some()
    }

    pub(in crate::api) fn device_id_len(&self) -> usize {
        self.device_id.as_ref().map_or(0, |id| id.chars().count())
    }
}

/// A shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Store {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Store {
    /// The shop with this number, at most 32 characters.
    ///
    /// # Errors
    /// Where it is empty or longer.
    pub fn new(id: &str) -> Result<Self, InvalidField> {
        Ok(Self {
            id: text("scene_info.store_info.id", id, 1, 32)?,
            name: None,
            area_code: None,
            address: None,
        })
    }

    /// Its name, at most 256 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn name(mut self, name: &str) -> Result<Self, InvalidField> {
        self.name = Some(text("scene_info.store_info.name", name, 1, 256)?);
        Ok(self)
    }

    /// The code of its region, at most 32 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn area_code(mut self, area_code: &str) -> Result<Self, InvalidField> {
        self.area_code = Some(text("scene_info.store_info.area_code", area_code, 1, 32)?);
        Ok(self)
    }

    /// Its address, at most 512 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn address(mut self, address: &str) -> Result<Self, InvalidField> {
        self.address = Some(text("scene_info.store_info.address", address, 1, 512)?);
        Ok(self)
    }
}

open_list! {
    /// From where the user comes to H5.
    H5Type {
        /// A page in a browser.
        Wap = "Wap",
        /// An iOS app.
        Ios = "iOS",
        /// An Android app.
        Android = "Android",
    }
}

/// The page or app from which the user comes to H5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct H5 {
    #[serde(rename = "type")]
    kind: H5Type,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_name: Option<String>,
}

impl H5 {
    /// Of this kind.
    #[must_use]
    pub fn new(kind: H5Type) -> Self {
        Self { kind, app_name: None, app_url: None, bundle_id: None, package_name: None }
    }

    /// The app's name, at most 64 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn app_name(mut self, name: &str) -> Result<Self, InvalidField> {
        self.app_name = Some(text("scene_info.h5_info.app_name", name, 1, 64)?);
        Ok(self)
    }

    /// The site's URL, at most 128 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn app_url(mut self, url: &str) -> Result<Self, InvalidField> {
        self.app_url = Some(text("scene_info.h5_info.app_url", url, 1, 128)?);
        Ok(self)
    }

    /// The iOS app's bundle id, at most 128 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn bundle_id(mut self, id: &str) -> Result<Self, InvalidField> {
        self.bundle_id = Some(text("scene_info.h5_info.bundle_id", id, 1, 128)?);
        Ok(self)
    }

    /// The Android app's package, at most 128 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn package_name(mut self, name: &str) -> Result<Self, InvalidField> {
        self.package_name = Some(text("scene_info.h5_info.package_name", name, 1, 128)?);
        Ok(self)
    }
}

/// `scene_info` on the wire.
#[derive(Clone, Serialize)]
pub(in crate::api) struct SceneInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_client_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_info: Option<Store>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h5_info: Option<H5>,
}

impl From<Scene> for SceneInfo {
    fn from(Scene { payer_client_ip, device_id, store_info }: Scene) -> Self {
        Self { payer_client_ip, device_id, store_info, h5_info: None }
    }
}

impl SceneInfo {
    /// Combined orders need the user's address wherever they need a scene.
    pub(in crate::api) fn with_address(scene: Scene) -> Result<Self, InvalidField> {
        match scene.payer_client_ip {
            Some(_) => Ok(scene.into()),
            None => Err(InvalidField::new("scene_info.payer_client_ip", Rule::Missing)),
        }
    }

    /// H5 needs the user's address.
    pub(in crate::api) fn for_h5(scene: Option<Self>, h5: H5) -> Result<Self, InvalidField> {
        let scene = scene.filter(|scene| scene.payer_client_ip.is_some());
        let scene = scene.ok_or(InvalidField::new("scene_info.payer_client_ip", Rule::Missing))?;
        Ok(Self { h5_info: Some(h5), ..scene })
    }
}
