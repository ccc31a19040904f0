//! APIv2: XML, signed with a shared key.
