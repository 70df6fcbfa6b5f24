// An ordinary telephone at the end of a trunk, as programs of others: baresip, which hears, speaks and presses keys beside the
// sound or in it, and SIPp, which presses them by SIP INFO. The trunk is the telephone itself. And devices that register: a desk
// phone with a display, a door station with a camera.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Baresip, PICTURES, registering } from './baresip.mjs';
import { freePort, HOST } from './ports.mjs';
import { Program } from './program.mjs';
import { until } from './site.mjs';
import { bursts, wavOf } from './sound.mjs';

/** Full scale of a sample of 16 bits, and the head of a WAV file of baresip's, bytes. */
const FULL = 32_768;
const HEAD = 44;
/** Of the sound on the wire and in the files, samples a second: G.711. */
const RATE = 8_000;
/** Samples of one look at the pitch: 100 ms. */
const WINDOW = RATE / 10;
/** Under this root mean square a window is silence; full scale is 1. */
const HEARD = 0.01;
/** How much of a window's power the pitch has, or it is another sound. */
const SHARE = 0.7;
/** So many windows of a pitch are it, not a click. */
const WINDOWS = 2;
/** How long its sound goes on, s: longer than a call. */
const SPEAKS_S = 150;

/** One tone, or two at once as a key has them. Samples, full scale is 1. */
export const tone = (hertz, seconds) =>
  Float64Array.from({ length: RATE * seconds }, (_, i) => [hertz].flat().reduce((sum, one) => sum + 0.3 * Math.sin((2 * Math.PI * one * i) / RATE), 0));

/** The tones of a key (ITU-T Q.23). */
const TONES = { 5: [770, 1336], 8: [852, 1336] };

/** What a telephone says that presses this key so many seconds after it was picked up, in the sound itself. */
export function speakingTones(hertz, key, after) {
  const said = bursts(hertz, RATE, SPEAKS_S);
  said.fill(0, 0, RATE * (after + 1));
  said.set(tone(TONES[key], 0.2), RATE * after);
  return said;
}

/** A recording as the server takes it in the place of its voice. */
export const recording = (hertz) => wavOf(tone(hertz, 0.6), RATE);

/** How much of the power of `samples` has this pitch, 0 to 1 (Goertzel), and their level; full scale is 1. */
function pitch(samples, hertz) {
  const twice = 2 * Math.cos((2 * Math.PI * hertz) / RATE);
  let [last, before, power] = [0, 0, 0];
  for (const sample of samples) {
    [last, before] = [sample + twice * last - before, last];
    power += sample * sample;
  }
  const peak = last * last + before * before - twice * last * before;
  return { share: power > 0 ? (2 * peak) / (samples.length * power) : 0, level: Math.sqrt(power / samples.length) / FULL };
}

/** A desk phone with a display, which registers with what an administrator was shown: FFmpeg reads the picture. */
export class DeskPhone {
  #baresip;
  #pictures = 0;

  /** `host`: its own address. */
  static async start(host, given) {
    const phone = new DeskPhone();
    phone.#baresip = await Baresip.start(registering(given, 'answermode=manual'), { host, settings: () => [...PICTURES, 'module snapshot.so'] });
    return phone;
  }

  async rings() {
    await this.#baresip.prints(/Incoming call/);
  }

  pickUp() {
    this.#baresip.order('accept');
  }

  hangUp() {
    this.#baresip.order('hangup');
  }

  /** What its display shows now, PNG. There must be a picture. */
  async display() {
    await this.#baresip.prints(/receiving with resolution/);
    this.#pictures += 1;
    const file = join(this.#baresip.folder, `${this.#pictures}.png`);
    this.#baresip.order('snapshot_recv', file);
    // its last part is written last
    return until('a picture of the display', () => {
      const picture = existsSync(file) && readFileSync(file);
      return picture && picture.includes('IEND') && picture;
    });
  }

  async stop() {
    await this.#baresip.stop('SIGKILL');
  }
}

export class Telephone {
  #baresip;
  #server;

  /** `number`: its own. `says`: what it speaks (without: bursts of `hertz`). It picks up by itself. */
  static start({ number, hertz, says }) {
    return Telephone.#start(`<sip:${number}@${HOST}>;regint=0;answermode=auto;audio_codecs=PCMA`, { hertz, says });
  }

  /** A door station with what its administrator was shown, once it is registered. Its camera films bars: red, green, blue. */
  static async doorStation(given, hertz) {
    const account = registering(given, 'audio_codecs=PCMA');
    const station = await Telephone.#start(account, { hertz, settings: [...PICTURES, 'video_size 352x288', 'video_fps 25', 'rtcp_mux yes'] });
    [, station.#server] = /@([^;]+)/.exec(account);
    await station.#baresip.prints(/200 OK/);
    return station;
  }

  static async #start(account, { hertz, says = bursts(hertz, RATE, SPEAKS_S), settings = [] }) {
    const phone = new Telephone();
    phone.#baresip = await Baresip.start(account, {
      settings: (folder) => {
        const file = join(folder, 'says.wav');
        writeFileSync(file, wavOf(says, RATE));
        return [`audio_source aufile,${file}`, `snd_path ${folder}`, 'module aufile.so', 'module sndfile.so', ...settings];
      },
    });
    return phone;
  }

  /** Where it listens. */
  get port() {
    return this.#baresip.port;
  }

  get log() {
    return this.#baresip.log;
  }

  async isCalled() {
    await this.#baresip.prints(/answering call/);
  }

  /** The call is over, by whoever ended it. */
  async isFree() {
    await this.#baresip.prints(/terminate|session closed/i);
  }

  press(key) {
    this.#baresip.order('sndcode', String(key));
  }

  /** A door station's button: it calls this number of its server's. */
  dial(number) {
    this.#baresip.order('dial', `sip:${number}@${this.#server}`);
  }

  hangUp() {
    this.#baresip.order('hangup');
  }

  /** All that it heard in its call so far. */
  #heard() {
    const file = readdirSync(this.#baresip.folder).find((name) => /^dump-.*-dec\.wav$/.test(name));
    if (!file) return new Int16Array(0);
    const { buffer, byteOffset, length } = readFileSync(join(this.#baresip.folder, file));
    return new Int16Array(buffer.slice(byteOffset + HEAD, byteOffset + HEAD + 2 * Math.max(0, (length - HEAD) >> 1)));
  }

  /** Looks at every 100 ms from `from` on: those with this pitch, s. */
  #at(hertz, from) {
    const heard = this.#heard();
    const times = [];
    for (let at = Math.round(from * RATE); at + WINDOW <= heard.length; at += WINDOW) {
      const { share, level } = pitch(heard.subarray(at, at + WINDOW), hertz);
      if (level > HEARD && share > SHARE) times.push(at / RATE);
    }
    return times;
  }

  /** How long it has listened, s. */
  get listened() {
    return this.#heard().length / RATE;
  }

  /** Waits until it hears this pitch; when that was, s. */
  async hears(hertz, from = 0) {
    const find = () => this.#at(hertz, from);
    try {
      return (await until(`${hertz} Hz`, () => find().length >= WINDOWS && find()))[0];
    } catch (error) {
      const loudest = this.#heard().reduce((most, sample) => Math.max(most, sample), 0) / FULL;
      throw new Error(`at the telephone, after ${from} s; it listened ${this.listened} s, loudest ${loudest}\n${this.log}`, { cause: error });
    }
  }

  /** Fails when this pitch was ever heard. */
  neverHeard(hertz) {
    assert.ok(this.listened > 0, 'it has heard nothing at all');
    assert.deepEqual(this.#at(hertz, 0), [], `${hertz} Hz at the telephone`);
  }

  async stop() {
    await this.#baresip.stop();
  }
}

/** A telephone without sound: SIPp, which picks up, waits, presses one key by SIP INFO and waits for the end. */
export class InfoPhone {
  port;
  #folder = mkdtempSync(join(tmpdir(), 'klinke-sipp-'));
  #program;

  static async start(key, afterMs) {
    const phone = new InfoPhone();
    phone.port = await freePort();
    const script = readFileSync(new URL('../../crates/server/tests/sipp/press.xml', import.meta.url), 'utf8');
    const info = [
      `<pause milliseconds="${afterMs}"/>`,
      '<send retrans="500"><![CDATA[',
      '',
      'INFO [next_url] SIP/2.0',
      'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
      'From: [$us]',
      'To: [$them]',
      '[last_Call-ID:]',
      'CSeq: 2 INFO',
      'Max-Forwards: 70',
      'Contact: <sip:[local_ip]:[local_port];transport=[transport]>',
      'Content-Type: application/dtmf-relay',
      'Content-Length: [len]',
      '',
      `Signal=${key}`,
      'Duration=160',
      ']]></send>',
      '<recv response="200"/>',
    ];
    const file = join(phone.#folder, 'press.xml');
    writeFileSync(file, script.replace('<!--KEYS-->', info.join('\n')));
    const words = ['-sf', file, '-i', HOST, '-mi', HOST, '-p', String(phone.port), '-mp', String(await freePort()), '-m', '100', '-nostdin'];
    phone.#program = new Program('sipp', [...words, '-trace_err', '-error_file', join(phone.#folder, 'errors')], { cwd: phone.#folder });
    return phone;
  }

  async stop() {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
