//! How long a change takes to the door: an administrator changes the hours in which a door stands open, through the API of a
//! real `klinke demo`; its controller takes new rights into force, and the lock moves as the kernel sees it.
//!
//! Each change comes alone, after a pause that is longer than the one a link makes between two looks.

use crate::Result;
use crate::client::{self, http};
use crate::figures::{now, times};
use crate::latency::Demo;
use crate::locks::Locks;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::time::sleep;

/// Changes in a run.
const CHANGES: usize = 200;
/// Between the lock's move and the next change.
const BETWEEN: Duration = Duration::from_millis(700);

/// An administrator of the demo.
struct Administrator {
    http: reqwest::Client,
    origin: String,
    cookie: String,
}

impl Administrator {
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.origin));
        let request = request.header("origin", &self.origin).header("cookie", &self.cookie);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{path} was answered {status}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }
}

/// Hours changed through the API → the lock moves; `only` so many changes.
///
/// # Errors
/// When a lock does not move.
pub async fn to_door(klinke: &Path, only: Option<usize>) -> Result<Value> {
    let demo = Demo::start(klinke).await?;
    let account = &demo.told["administrator"];
    let text = |name: &str| account[name].as_str().unwrap_or_default();
    let cookie = client::sign_in(&demo.origin, text("user_name"), text("password")).await?;
    let administrator = Administrator { http: http()?, origin: demo.origin.clone(), cookie };
    let get = async |path: String| administrator.ask(Method::GET, &path, None).await;

    let (building, door) = driven(&get).await?;
    let always = json!({ "name": "Always", "schedule": {
        "hours": [{ "days": [0, 1, 2, 3, 4, 5, 6], "from": 0, "until": 1440 }],
        "holidays": { "are": "as_usual" }, "exceptions": [] } });
    let schedules = format!("/buildings/{building}/schedules");
    let schedule = administrator.ask(Method::POST, &schedules, Some(&always)).await?["id"].take();
    let path = format!("/doors/{door}/settings");
    let mut version = get(path.clone()).await?["version"].take();
    let mut locks = Locks::watch(demo.folder.path())?;
    sleep(BETWEEN).await;

    let changes = only.unwrap_or(CHANGES);
    let (mut whole, mut after_answer) = (Vec::with_capacity(changes), Vec::with_capacity(changes));
    for number in 0..changes {
        let opens = number % 2 == 0;
        let unlocked = if opens { schedule.clone() } else { Value::Null };
        let settings = json!({ "refuses_copyable": false, "first_person_in": false, "unlocked": unlocked });
        let change = json!({ "version": version, "settings": settings });
        locks.forget();
        let begin = now();
        version = administrator.ask(Method::PUT, &path, Some(&change)).await?["version"].take();
        let answered = now();
        let moved = locks.moved(opens).await?;
        whole.push(moved - begin);
        after_answer.push(moved.saturating_duration_since(answered));
        sleep(BETWEEN).await;
    }
    demo.process.stop().await?;
    Ok(json!({ "ms": times(whole), "after_answer_ms": times(after_answer) }))
}

/// A building and a door of it whose controller is connected.
async fn driven(get: &impl AsyncFn(String) -> Result<Value>) -> Result<(String, String)> {
    for _ in 0..100 {
        let buildings = get("/buildings".to_owned()).await?;
        for building in buildings.as_array().into_iter().flatten() {
            let building = building["id"].as_str().unwrap_or_default();
            let doors = get(format!("/buildings/{building}/doors")).await?;
            let there = |door: &&Value| door["state"].is_object();
            if let Some(door) = doors.as_array().and_then(|doors| doors.iter().find(there)) {
                return Ok((building.to_owned(), door["id"].as_str().unwrap_or_default().to_owned()));
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err("no controller of the demo connected".into())
}
