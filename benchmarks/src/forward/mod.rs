//! stub
pub mod klinke { pub async fn serve() -> crate::Result<serde_json::Value> { todo!() } }
pub async fn measure() -> crate::Result<serde_json::Value> { todo!() }
