// SPDX-License-Identifier: MIT OR Apache-2.0

//! Encodes messages as frames on a byte stream, and decodes them.

use serde::{Serialize, de::DeserializeOwned};

/// The length of the longest frame that is kept while its end has not come. Longer ones are
/// noise.
const MAX_FRAME: usize = 1 << 20;

/// Encodes one message as a frame, with the zero byte that ends it.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    postcard::to_stdvec_cobs(message).expect("every message can be serialised into memory")
}

/// Encodes messages as bytes without frames, for shared memory, where nothing is lost.
pub fn pack<T: Serialize>(messages: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        bytes = postcard::to_extend(message, bytes).expect("as above");
    }
    bytes
}

/// Decodes the messages in bytes from [`pack`], up to the first that cannot be decoded.
///
/// ```
/// use koru_protocol::{ToHost, pack, unpack};
/// let sent = [ToHost::Heartbeat { uptime_ms: 7 }, ToHost::LogLost];
/// assert!(unpack::<ToHost>(&pack(&sent)).eq(sent));
/// ```
pub fn unpack<T: DeserializeOwned>(mut bytes: &[u8]) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || {
        let (message, rest) = postcard::take_from_bytes(bytes).ok()?;
        bytes = rest;
        Some(message)
    })
    .fuse()
}

/// A decoder that divides a byte stream into messages.
///
/// ```
/// use koru_protocol::{Decoder, ToHost, encode};
/// let mut decoder = Decoder::default();
/// let frame = encode(&ToHost::Heartbeat { uptime_ms: 7 });
/// let mut seen = Vec::new();
/// decoder.feed(b"noise\0", |m: ToHost| seen.push(m));
/// decoder.feed(&frame, |m: ToHost| seen.push(m));
/// assert_eq!(seen, [ToHost::Heartbeat { uptime_ms: 7 }]);
/// assert_eq!(decoder.bad_frames(), 1);
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    partial: Vec<u8>,
    overlong: bool,
    bad: u64,
}

impl Decoder {
    /// Takes bytes as they come, and calls `deliver` for every complete message.
    pub fn feed<T: DeserializeOwned>(&mut self, mut bytes: &[u8], mut deliver: impl FnMut(T)) {
        while let Some(end) = bytes.iter().position(|&b| b == 0) {
            self.push(&bytes[..end]);
            bytes = &bytes[end + 1..];
            if let Some(message) = self.finish() {
                deliver(message);
            }
        }
        self.push(bytes);
    }

    /// Returns the number of frames that could not be decoded: noise, or a broken peer.
    pub fn bad_frames(&self) -> u64 {
        self.bad
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.partial.len() + bytes.len() > MAX_FRAME {
            self.overlong = true;
            self.partial.clear();
        }
        if !self.overlong {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn finish<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut frame = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.overlong) {
            self.bad += 1;
            return None;
        }
        if frame.is_empty() {
            return None; // A lone zero byte only resynchronises.
        }
        let message = postcard::from_bytes_cobs(&mut frame).ok();
        self.bad += u64::from(message.is_none());
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, ToGuest};

    fn call(id: u64, path: &str) -> ToGuest {
        ToGuest::Call {
            id,
            call: Call::GetFile { path: path.into() },
        }
    }

    #[test]
    fn messages_survive_any_split_of_the_stream() {
        let sent = [call(1, "/a"), call(300, "/b\0c"), call(u64::MAX, "")];
        let stream: Vec<u8> = sent.iter().flat_map(encode).collect();
        for step in 1..stream.len() {
            let (mut decoder, mut got) = (Decoder::default(), Vec::new());
            for part in stream.chunks(step) {
                decoder.feed(part, |m: ToGuest| got.push(m));
            }
            assert_eq!(got, sent, "in parts of {step}");
            assert_eq!(decoder.bad_frames(), 0);
        }
    }

    #[test]
    fn binary_payloads_are_unchanged() {
        let bytes: Vec<u8> = (0..=255u8).cycle().take(5000).collect();
        let sent = ToGuest::Data { id: 9, bytes };
        let mut got = None;
        Decoder::default().feed(&encode(&sent), |m| got = Some(m));
        assert_eq!(got, Some(sent));
    }

    #[test]
    fn truncated_frame_loses_only_itself() {
        let mut stream = encode(&call(1, "/lost"));
        stream.truncate(4);
        stream.push(0);
        stream.extend(encode(&call(2, "/kept")));
        let (mut decoder, mut got) = (Decoder::default(), Vec::new());
        decoder.feed(&stream, |m: ToGuest| got.push(m));
        assert_eq!(got, [call(2, "/kept")]);
        assert_eq!(decoder.bad_frames(), 1);
    }

    #[test]
    fn noise_without_a_delimiter_is_bounded() {
        let mut decoder = Decoder::default();
        for _ in 0..400 {
            decoder.feed(&[7; 10_000], |_: ToGuest| panic!("noise is no message"));
        }
        assert!(decoder.partial.capacity() <= 2 * MAX_FRAME);
        decoder.feed(&[0], |_: ToGuest| panic!("noise is no message"));
        let mut got = 0;
        decoder.feed(&encode(&call(1, "/x")), |_: ToGuest| got += 1);
        assert_eq!(got, 1);
    }
}
