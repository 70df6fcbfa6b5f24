/**
 * Looks for a QR code in the panel's picture, a few times a second, here in the page: the picture goes nowhere.
 * A look takes some milliseconds at this size, and the next one waits until the page has drawn.
 */
import { decodeQR } from 'qr/decode.js';

/** Time between two looks, ms. */
const EVERY_MS = 150;
/** Longest side of what is looked at, pixels: the pass on a phone an arm's length away still has 4 and more a module. */
const SIDE = 720;

/** Tells each text that is seen, again and again while it is; until the returned function is called. */
export function scan(video: HTMLVideoElement, onseen: (text: string) => void): () => void {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  let timer: ReturnType<typeof setTimeout>;
  const look = () => {
    timer = setTimeout(look, EVERY_MS);
    const { videoWidth: width, videoHeight: height } = video;
    if (!context || width === 0 || height === 0) return;
    const scale = Math.min(1, SIDE / Math.max(width, height));
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const text = decode(context.getImageData(0, 0, canvas.width, canvas.height));
    if (text !== undefined) onseen(text);
  };
  look();
  return () => clearTimeout(timer);
}

function decode(picture: ImageData): string | undefined {
  try {
    return decodeQR(picture);
  } catch {
    // nothing that can be read: the usual picture
    return undefined;
  }
}
