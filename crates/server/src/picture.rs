//! Pictures that people put on buttons: whatever they send, a small square JPEG comes out or an error.
//!
//! What is read is limited before it is decoded (a few kilobytes can claim to be a picture of a billion points), and what
//! is kept is drawn anew, so nothing of the file itself gets through: no place where it was taken, no second file inside.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

/// Largest file in bytes.
pub const MAX_FILE: usize = 10 * 1024 * 1024;
/// Points at a side of what is kept.
const SIDE: u32 = 320;
/// Points at a side of what is read, at most.
const MAX_SIDE: u32 = 12_000;
/// Memory that a picture may take while it is read.
const MAX_MEMORY: u64 = 160 * 1024 * 1024;
const QUALITY: u8 = 82;

/// Why a file is no picture for a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Neither JPEG, PNG nor WebP, or a broken one.
    #[error("not a picture")]
    NotAPicture,
    /// More points than anybody needs.
    #[error("too many points")]
    TooManyPoints,
}

/// The middle of a picture, small, as a JPEG. It takes a while: not for an async task.
///
/// # Errors
/// When it is none, or too large.
pub fn small(file: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| PictureError::NotAPicture)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(PictureError::NotAPicture);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| reason(&error))?;
    if decoder.total_bytes() > MAX_MEMORY {
        return Err(PictureError::TooManyPoints);
    }
    // a phone held upright notes that instead of turning the picture
    let turned = decoder.orientation();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| reason(&error))?;
    if let Ok(turned) = turned {
        picture.apply_orientation(turned);
    }
    let square = on_white(&picture.resize_to_fill(SIDE, SIDE, FilterType::Triangle).to_rgba8());
    let mut written = Vec::new();
    JpegEncoder::new_with_quality(&mut written, QUALITY)
        .encode_image(&square)
        .map_err(|_| PictureError::NotAPicture)?;
    Ok(written)
}

/// A JPEG has no transparent points: they are white.
fn on_white(picture: &RgbaImage) -> RgbImage {
    let mut white = RgbImage::from_pixel(picture.width(), picture.height(), Rgb([u8::MAX; 3]));
    for (ground, point) in white.pixels_mut().zip(picture.pixels()) {
        let Rgba([red, green, blue, opaque]) = *point;
        let over = |colour: u8| {
            let sum = u16::from(colour) * u16::from(opaque) + 255 * (255 - u16::from(opaque));
            u8::try_from(sum / 255).unwrap_or(u8::MAX)
        };
        *ground = Rgb([red, green, blue].map(over));
    }
    white
}

fn reason(error: &image::ImageError) -> PictureError {
    match error {
        image::ImageError::Limits(_) => PictureError::TooManyPoints,
        _ => PictureError::NotAPicture,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let left = |x| if x < width / 2 { Rgb([200, 20, 20]) } else { Rgb([20, 20, 200]) };
        let picture = RgbImage::from_fn(width, height, |x, _| left(x));
        let mut written = Cursor::new(Vec::new());
        DynamicImage::from(picture).write_to(&mut written, format).unwrap();
        written.into_inner()
    }

    #[test]
    fn every_kind_becomes_a_small_square() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            for (width, height) in [(900, 400), (40, 700), (1, 1)] {
                let kept = small(&file(width, height, format)).unwrap();
                let seen = image::load_from_memory_with_format(&kept, ImageFormat::Jpeg).unwrap();
                assert_eq!((seen.width(), seen.height()), (SIDE, SIDE));
                assert!(kept.len() < 60_000, "{}", kept.len());
            }
        }
    }

    #[test]
    fn nothing_of_the_file_itself_gets_through() {
        let mut sent = file(400, 400, ImageFormat::Jpeg);
        // a comment in the JPEG, and a second file behind it
        sent.splice(2..2, [0xff, 0xfe, 0, 15].into_iter().chain(*b"canary-place!"));
        sent.extend(b"canary-behind");
        let kept = small(&sent).unwrap();
        assert!(!kept.windows(6).any(|bytes| bytes == b"canary"));
    }

    /// The colour at a place of what is kept, in hundredths.
    fn at(kept: &[u8], x: u32, y: u32) -> Rgb<u8> {
        let seen = image::load_from_memory_with_format(kept, ImageFormat::Jpeg).unwrap().to_rgb8();
        *seen.get_pixel(SIDE * x / 100, SIDE * y / 100)
    }

    fn is_red(Rgb([red, _, blue]): Rgb<u8>) -> bool {
        red > 150 && blue < 80
    }

    #[test]
    fn a_phone_held_upright_is_turned_and_what_it_noted_is_gone() {
        let mut sent = file(400, 400, ImageFormat::Jpeg);
        let kept = small(&sent).unwrap();
        assert!(is_red(at(&kept, 10, 50)) && !is_red(at(&kept, 90, 50)));
        // EXIF: little-endian, one entry, orientation 6 (a quarter to the right), and a place behind it
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        exif.extend(b"canary 59.91 N 10.75 E");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        sent.splice(2..2, [0xff, 0xe1].into_iter().chain(length).chain(exif));
        let kept = small(&sent).unwrap();
        assert!(is_red(at(&kept, 50, 10)) && !is_red(at(&kept, 50, 90)), "what was left is above");
        let noted = |what: &[u8]| kept.windows(what.len()).any(|bytes| bytes == what);
        assert!(!noted(b"Exif") && !noted(b"canary"));
    }

    #[test]
    fn what_is_transparent_is_white() {
        let clear = image::RgbaImage::from_pixel(50, 50, Rgba([200, 0, 0, 0]));
        let mut written = Cursor::new(Vec::new());
        DynamicImage::from(clear).write_to(&mut written, ImageFormat::Png).unwrap();
        let kept = small(&written.into_inner()).unwrap();
        assert!(at(&kept, 50, 50).0.iter().all(|colour| *colour > 250));
    }

    #[test]
    fn every_cut_of_every_kind_is_an_error_or_a_square() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let whole = file(64, 64, format);
            for cut in 0..whole.len() {
                // some decoders draw what there is: it is drawn anew all the same
                if let Ok(kept) = small(&whole[..cut]) {
                    assert!(image::load_from_memory_with_format(&kept, ImageFormat::Jpeg).is_ok());
                }
            }
        }
    }

    #[test]
    fn hostile_files_end_in_errors() {
        let png = file(64, 64, ImageFormat::Png);
        for cut in [0, 1, 8, 20, png.len() / 2] {
            assert_eq!(small(&png[..cut]), Err(PictureError::NotAPicture), "cut at {cut}");
        }
        for other in [
            &b"GIF89a\x01\0\x01\0"[..],
            b"<svg onload=alert(1)>",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"BM",
            b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        ] {
            assert_eq!(small(other), Err(PictureError::NotAPicture));
        }
        // says that it has 60,000 × 60,000 points
        let mut bomb = png;
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let crc = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(small(&bomb), Err(PictureError::TooManyPoints));
        // and one below the side that would still fill the memory
        bomb[16..24].copy_from_slice(&[0, 0, 0x2e, 0xe0, 0, 0, 0x2e, 0xe0]);
        let crc = self::crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(small(&bomb), Err(PictureError::TooManyPoints));
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(
                crc ^ u32::from(*byte),
                |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
            )
        })
    }
}
