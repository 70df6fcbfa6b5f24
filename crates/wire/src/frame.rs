//! Frames on the controller's stream: a big-endian `u32` length, then that many bytes of JSON.

use crate::MAX_MESSAGE;
use serde::{Serialize, de::DeserializeOwned};

/// Why bytes are not a frame. The connection can not go on after any of these.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The length is over [`MAX_MESSAGE`] or zero.
    #[error("a frame of {0} bytes (1 to {MAX_MESSAGE} are allowed)")]
    Length(usize),
    /// Not JSON, or not this protocol's message.
    #[error("not a message of this protocol: {0}")]
    Malformed(serde_json::Error),
}

/// Writes one message as a frame.
///
/// # Errors
/// When it is over [`MAX_MESSAGE`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let body = serde_json::to_vec(message).map_err(FrameError::Malformed)?;
    let length = u32::try_from(body.len()).ok().filter(|_| (1..=MAX_MESSAGE).contains(&body.len()));
    let length = length.ok_or(FrameError::Length(body.len()))?;
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// Takes one whole message off the front of `buffer`, or `None` while it is not all there.
///
/// # Errors
/// When the length is out of range (known from the first four bytes, before anything is kept) or the body is
/// not a message of this protocol.
pub fn decode<T: DeserializeOwned>(buffer: &mut Vec<u8>) -> Result<Option<T>, FrameError> {
    let Some(head) = buffer.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
    if !(1..=MAX_MESSAGE).contains(&length) {
        return Err(FrameError::Length(length));
    }
    let Some(body) = buffer.get(4..4 + length) else { return Ok(None) };
    let message = serde_json::from_slice(body).map_err(FrameError::Malformed)?;
    buffer.drain(..4 + length);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::ControllerEvent;
    use klinke_model::time::Timestamp;
    use proptest::prelude::*;

    const ALIVE: ControllerEvent =
        ControllerEvent::Alive { time: Timestamp::from_millis(7), newest: Some(8) };

    #[test]
    fn frames_survive_any_cut() {
        let mut stream = encode(&ALIVE).unwrap();
        let one = stream.len();
        stream.extend(encode(&ControllerEvent::Refused { reason: "å".into() }).unwrap());
        for cut in 0..stream.len() {
            let mut buffer = stream[..cut].to_vec();
            let first = decode::<ControllerEvent>(&mut buffer).unwrap();
            assert_eq!(first.is_some(), cut >= one, "cut at {cut}");
        }
        assert_eq!(decode::<ControllerEvent>(&mut stream).unwrap(), Some(ALIVE));
        assert!(matches!(decode(&mut stream).unwrap(), Some(ControllerEvent::Refused { .. })));
        assert!(stream.is_empty());
    }

    #[test]
    fn a_huge_length_is_refused_from_its_first_four_bytes() {
        let mut buffer = u32::MAX.to_be_bytes().to_vec();
        assert!(matches!(decode::<ControllerEvent>(&mut buffer), Err(FrameError::Length(_))));
        assert!(matches!(encode(&"x".repeat(MAX_MESSAGE)), Err(FrameError::Length(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_message_an_error_or_a_wait(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut buffer = bytes;
            let _ = decode::<ControllerEvent>(&mut buffer);
        }
    }
}
