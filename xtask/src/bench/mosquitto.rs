//! The peer of an opening: what a plain MQTT message takes through Mosquitto on this machine.
//!
//! Only programs of others are measured: Mosquitto's broker, `mosquitto_pub -l` (a line in, a message out) and
//! `mosquitto_sub` (a message in, a line out). The time runs from writing a line to reading it back.

use super::quantile;
use crate::process::Failure;
use crate::tools::find;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const MESSAGES: usize = 500;
/// Taps come one by one, not in a burst.
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(5);

/// One run: [`MESSAGES`] round trips, in ms.
///
/// # Errors
/// When Mosquitto is missing or a message is lost.
pub fn round_trip() -> Result<Value, Failure> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let broker = find("mosquitto").ok_or_else(|| Failure::new("mosquitto is missing"))?;
    let _broker = Running::start(Command::new(broker).args(["-p", &port]))?;
    wait_for_port(&port)?;

    let client = |program: &str| {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &port, "-t", "klinke/bench", "-q", "0", "--nodelay"]);
        command
    };
    let mut subscriber = Running::start(client("mosquitto_sub").stdout(Stdio::piped()))?;
    let mut publisher = Running::start(client("mosquitto_pub").arg("-l").stdin(Stdio::piped()))?;
    let messages = lines(subscriber.0.stdout.take());
    let mut input = publisher.0.stdin.take().ok_or_else(|| Failure::new("mosquitto_pub has no input"))?;

    connect(&mut input, &messages)?;
    let mut times = Vec::with_capacity(MESSAGES);
    for number in 0..MESSAGES {
        std::thread::sleep(PAUSE);
        times.push(one(&mut input, &messages, &number.to_string())?.as_secs_f64() * 1e3);
    }
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| quantile(&mut times, share));
    Ok(json!({ "n": MESSAGES, "p50": p50, "p99": p99, "max": max }))
}

/// Publishes until the subscriber hears: both are connected then.
fn connect(input: &mut ChildStdin, messages: &Receiver<String>) -> Result<(), Failure> {
    for _ in 0..100 {
        writeln!(input, "hello")?;
        if messages.recv_timeout(Duration::from_millis(100)).is_ok() {
            while messages.recv_timeout(Duration::from_millis(200)).is_ok() {}
            return Ok(());
        }
    }
    Err(Failure::new("mosquitto_pub and mosquitto_sub do not hear each other"))
}

#[expect(clippy::disallowed_methods, reason = "this is the measurement")]
fn one(input: &mut ChildStdin, messages: &Receiver<String>, text: &str) -> Result<Duration, Failure> {
    let start = Instant::now();
    writeln!(input, "{text}")?;
    let heard = messages.recv_timeout(PATIENCE).map_err(|_| Failure::new("Mosquitto lost a message"))?;
    if heard == text { Ok(start.elapsed()) } else { Err(Failure::new("Mosquitto mixed up messages")) }
}

fn lines(output: Option<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in output.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn wait_for_port(port: &str) -> Result<(), Failure> {
    for _ in 0..100 {
        if TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(Failure::new("Mosquitto did not start within 5 s"))
}

/// A program that ends with us.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Self, Failure> {
        let child = command.stderr(Stdio::null()).spawn();
        child.map(Self).map_err(|error| {
            Failure::new(format!("could not start {}: {error}", command.get_program().display()))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
