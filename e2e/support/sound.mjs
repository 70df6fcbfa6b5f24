// Sound that can be told apart: each browser's fake microphone plays bursts of its own pitch, and a page's incoming
// sound is measured by level and pitch. So a test knows not only that there is a track, but who is heard.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Pitch of the visitor's and the residents' microphones, Hz. */
export const VISITOR_HZ = 620;
export const RESIDENT_HZ = 1060;

/** Above this root mean square a burst is heard; under `SILENT` there is nothing. Full scale is 1. */
export const HEARD = 0.01;
export const SILENT = 0.001;

/** Files that a browser reads, for as long as this process lives. */
export const folder = mkdtempSync(join(tmpdir(), 'klinke-media-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The rate of a browser's microphone, samples a second. */
const RATE = 48_000;
const SECONDS = 3;

/** Soft bursts of this pitch, five in two seconds, like syllables: noise suppression lets them through. Samples, full scale is 1. */
export function bursts(hertz, rate, seconds) {
  return Float64Array.from({ length: rate * seconds }, (_, i) => {
    const time = i / rate;
    const burst = Math.max(0, Math.sin(2 * Math.PI * 2.5 * time)) ** 0.5;
    return 0.6 * burst * Math.sin(2 * Math.PI * hertz * time);
  });
}

/** A WAV file of samples: mono, 16 bit. */
export function wavOf(samples, rate) {
  const wav = Buffer.alloc(44 + samples.length * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + samples.length * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, i) => wav.writeInt16LE(Math.round(sample * 32_767), 44 + i * 2));
  return wav;
}

/** A file that a browser takes for its microphone. */
export function microphoneFile(hertz) {
  const file = join(folder, `${hertz}.wav`);
  writeFileSync(file, wavOf(bursts(hertz, RATE, SECONDS), RATE));
  return file;
}

/**
 * Runs in every page before its own scripts: remembers peer connections and what plays.
 * The page's code is not touched.
 */
export function watchMedia() {
  const connections = new Set();
  const players = new Set();
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...settings) {
      super(...settings);
      connections.add(this);
    }
  };
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    players.add(this);
    return play.call(this);
  };
  Object.defineProperty(window, 'klinkeTest', { value: { connections, players } });
}

/** Runs in a page: listens to what arrives for a while. `{ level, hertz, audible }`. */
async function listenInPage(ms) {
  const { connections, players } = window.klinkeTest;
  const open = [...connections].filter((connection) => connection.connectionState === 'connected');
  const tracks = open.flatMap((connection) =>
    connection.getReceivers().map((receiver) => receiver.track).filter((track) => track.kind === 'audio'),
  );
  const audible = [...players].some(
    (player) =>
      !player.muted && !player.paused && player.volume > 0 && player.srcObject?.getAudioTracks().some((track) => tracks.includes(track)),
  );
  const context = new AudioContext();
  await context.resume();
  const mix = context.createAnalyser();
  mix.fftSize = 4096;
  for (const track of tracks) context.createMediaStreamSource(new MediaStream([track])).connect(mix);
  const wave = new Float32Array(mix.fftSize);
  const spectrum = new Float32Array(mix.frequencyBinCount);
  let level = 0;
  let hertz = 0;
  const end = performance.now() + ms;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    mix.getFloatTimeDomainData(wave);
    const now = Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length);
    if (now <= level) continue;
    level = now;
    mix.getFloatFrequencyData(spectrum);
    hertz = (spectrum.indexOf(Math.max(...spectrum)) * context.sampleRate) / mix.fftSize;
  }
  await context.close();
  return { level, hertz, audible };
}

/** What a page hears within `ms` (a burst comes every 0.4 s). */
export const listen = (page, ms = 1_500) => page.evaluate(listenInPage, ms);

/** Waits until a page hears this pitch aloud; gives what it heard. */
export async function hears(page, hertz, patience = 10_000) {
  let heard;
  for (const end = performance.now() + patience; performance.now() < end; ) {
    heard = await listen(page, 800);
    if (heard.audible && heard.level > HEARD && Math.abs(heard.hertz - hertz) < 40) return heard;
  }
  throw new Error(`expected to hear ${hertz} Hz, heard ${JSON.stringify(heard)}`);
}

/** Waits until what was heard has died away. */
export async function fallsSilent(page, patience = 10_000) {
  for (const end = performance.now() + patience; performance.now() < end; ) {
    if ((await listen(page, 800)).level < SILENT) return;
  }
  throw new Error('expected the sound to end');
}

/** Fails when anything is heard within two seconds. */
export async function hearsNothing(page) {
  const heard = await listen(page, 2_000);
  if (heard.level > SILENT) throw new Error(`expected silence, heard ${JSON.stringify(heard)}`);
}
