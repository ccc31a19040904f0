//! Servers that take messages: RabbitMQ, NATS, and Redis, which is a cache as well.

pub mod nats;
pub mod rabbitmq;
pub mod redis;
