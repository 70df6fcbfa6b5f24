//! WAV files: mono, 16 bits a sample, uncompressed.
//!
//! Speech programs that write to a pipe do not know the length before; what they say instead is larger than the file, so a
//! chunk of samples ends with the file at the latest.

/// Rates that are read, samples a second.
pub const RATES: [u32; 8] = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// Why a file is no sound that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// No RIFF header, no format, or no samples.
    #[error("it is no WAV file")]
    NotWav,
    /// A-law, floating point, MP3 inside of WAV …
    #[error("it is compressed or not in whole numbers: save it as PCM, 16 bit")]
    Format,
    /// Another size of samples.
    #[error("it has {0} bits a sample: save it with 16")]
    Bits(u16),
    /// Stereo or more.
    #[error("it has {0} channels: save it as mono")]
    Channels(u16),
    /// Not one of [`RATES`].
    #[error("it has {0} samples a second: save it with 16000")]
    Rate(u32),
}

/// Samples and how many of them are a second.
///
/// # Errors
/// [`WavError`].
pub fn read(bytes: &[u8]) -> Result<(Vec<i16>, u32), WavError> {
    let mut rest = bytes.strip_prefix(b"RIFF").and_then(|rest| rest.get(4..)).ok_or(WavError::NotWav)?;
    rest = rest.strip_prefix(b"WAVE").ok_or(WavError::NotWav)?;
    let mut rate = None;
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, length @ ..] = *head;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        let chunk = body.get(..length).unwrap_or(body);
        match &[a, b, c, d] {
            b"fmt " => rate = Some(format(chunk)?),
            b"data" => {
                let samples = chunk.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
                return Ok((samples, rate.ok_or(WavError::NotWav)?));
            }
            _ => {}
        }
        // chunks begin at even places
        rest = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    Err(WavError::NotWav)
}

fn format(chunk: &[u8]) -> Result<u32, WavError> {
    let (kind, channels, rate, bits) = fields(chunk).ok_or(WavError::NotWav)?;
    match (kind, channels, bits) {
        (1, 1, 16) if RATES.contains(&rate) => Ok(rate),
        (1, 1, 16) => Err(WavError::Rate(rate)),
        (1, 1, bits) => Err(WavError::Bits(bits)),
        (1, channels, _) => Err(WavError::Channels(channels)),
        _ => Err(WavError::Format),
    }
}

/// Kind, channels, samples a second, bits a sample.
fn fields(chunk: &[u8]) -> Option<(u16, u16, u32, u16)> {
    let short = |at: usize| Some(u16::from_le_bytes(chunk.get(at..at + 2)?.try_into().ok()?));
    let rate = u32::from_le_bytes(chunk.get(4..8)?.try_into().ok()?);
    // the extensible form says further on what it is
    let kind = if short(0)? == 0xfffe { short(24)? } else { short(0)? };
    Some((kind, short(2)?, rate, short(14)?))
}

/// A file of these samples.
pub fn write(samples: &[i16], rate: u32) -> Vec<u8> {
    let length = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend(b"RIFF");
    file.extend(length.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut file = file.to_vec();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    }

    #[test]
    fn what_is_written_is_read_and_what_is_not_taken_says_why() {
        let file = write(&[1, -2, i16::MIN], 16_000);
        assert_eq!(read(&file), Ok((vec![1, -2, i16::MIN], 16_000)));
        // a program that wrote to a pipe
        assert_eq!(
            read(&with(&file, 40, &0x7fff_f000_u32.to_le_bytes())),
            Ok((vec![1, -2, i16::MIN], 16_000))
        );
        assert_eq!(read(&with(&file, 20, &[3])), Err(WavError::Format));
        assert_eq!(read(&with(&file, 22, &[2])), Err(WavError::Channels(2)));
        assert_eq!(read(&with(&file, 34, &[24])), Err(WavError::Bits(24)));
        assert_eq!(read(&with(&file, 24, &96_000_u32.to_le_bytes())), Err(WavError::Rate(96_000)));
        assert_eq!(read(&with(&file, 0, b"RIFX")), Err(WavError::NotWav));
        assert_eq!(read(&file[..36]), Err(WavError::NotWav));
        // a chunk of odd length that we do not know, and a byte to make it even
        let mut noted = file[..36].to_vec();
        noted.extend(b"LIST\x03\0\0\0abc\0");
        noted.extend(&file[36..]);
        assert_eq!(read(&noted), Ok((vec![1, -2, i16::MIN], 16_000)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), at in 0_usize..44) {
            let mut file = write(&[5; 20], 8_000);
            file.splice(at.., bytes.clone());
            let _ = (read(&file), read(&bytes));
        }
    }
}
