// An ordinary telephone at the end of a trunk, as programs of others: baresip, which hears, speaks and presses keys beside the
// sound or in it, and SIPp, which presses them by SIP INFO. The trunk is the telephone itself. And a door station that
// registers, with a camera: baresip too.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.mjs';
import { until } from './site.mjs';
import { bursts, wavOf } from './sound.mjs';

const HOST = '127.0.0.1';
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

/** Whether nobody listens at a port, by UDP or TCP. */
async function isFree(port, host) {
  const server = createServer();
  const listens = await new Promise((resolve) => server.once('error', () => resolve(false)).listen(port, host, () => resolve(true)));
  if (!listens) return false;
  server.close();
  await once(server, 'close');
  const socket = createSocket('udp4');
  const bound = await new Promise((resolve) => socket.once('error', () => resolve(false)).bind(port, host, () => resolve(true)));
  socket.close();
  return bound;
}

/**
 * A port of UDP and TCP that nobody has, and the next one: baresip ends when it can not have that for TLS. A program takes it only
 * after we looked, so it is below those that the system gives to whoever asks for any: connections come and go there all the time.
 */
export async function freePort(host = HOST) {
  for (;;) {
    const port = randomInt(10_000, 20_000);
    if ((await isFree(port, host)) && (await isFree(port + 1, host))) return port;
  }
}

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

/**
 * A desk phone with a display, which registers with what an administrator was shown: FFmpeg reads the picture. `host`: its own
 * address.
 */
export class DeskPhone {
  #folder = mkdtempSync(join(tmpdir(), 'klinke-desk-phone-'));
  #program;
  #control;
  #pictures = 0;

  static async start(host, { user_name, password, servers }) {
    const phone = new DeskPhone();
    const at = servers.find(({ transport }) => transport === 'udp');
    const control = await freePort();
    const modules = ['g711', 'aubridge', 'avcodec', 'fakevideo', 'snapshot'].map((name) => `module ${name}.so`);
    const applications = ['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`);
    const config = [
      'poll_method epoll',
      `sip_listen ${host}:${await freePort(host)}`,
      'audio_player aubridge,x',
      'audio_source aubridge,x',
      'audio_alert aubridge,x',
      'video_source fakevideo,x',
      'video_display fakevideo,x',
      `ctrl_tcp_listen ${HOST}:${control}`,
      'module_path /usr/lib/baresip/modules',
      ...modules,
      ...applications,
    ];
    const file = (name, text) => writeFileSync(join(phone.#folder, name), text);
    file('config', `${config.join('\n')}\n`);
    file('accounts', `<sip:${user_name}@${at.host}:${at.port};transport=udp>;auth_user=${user_name};auth_pass=${password};regint=60;answermode=manual\n`);
    file('contacts', '');
    phone.#program = new Program('baresip', ['-f', phone.#folder]);
    await phone.#program.prints(/baresip is ready/);
    phone.#control = createConnection(control, HOST);
    await once(phone.#control, 'connect');
    return phone;
  }

  #order(command, params = '') {
    const order = JSON.stringify({ command, params });
    this.#control.write(`${order.length}:${order},`);
  }

  async rings() {
    await this.#program.prints(/Incoming call/);
  }

  pickUp() {
    this.#order('accept');
  }

  hangUp() {
    this.#order('hangup');
  }

  /** What its display shows now, PNG. There must be a picture. */
  async display() {
    await this.#program.prints(/receiving with resolution/);
    this.#pictures += 1;
    const file = join(this.#folder, `${this.#pictures}.png`);
    this.#order('snapshot_recv', file);
    // its last part is written last
    return until('a picture of the display', () => {
      const picture = existsSync(file) && readFileSync(file);
      return picture && picture.includes('IEND') && picture;
    });
  }

  async stop() {
    this.#control?.destroy();
    await this.#program?.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class Telephone {
  port;
  #folder = mkdtempSync(join(tmpdir(), 'klinke-telephone-'));
  #program;
  #control;
  #server;

  /** `number`: its own. `says`: what it speaks (without: bursts of `hertz`). It picks up by itself. */
  static start({ number, hertz, says }) {
    return Telephone.#start({ account: `<sip:${number}@${HOST}>;regint=0;answermode=auto;audio_codecs=PCMA`, hertz, says });
  }

  /** A door station with what its administrator was shown, once it is registered. Its camera films bars: red, green, blue. */
  static async doorStation({ servers, user_name, password }, hertz) {
    const { host, port } = servers.find(({ transport }) => transport === 'udp');
    const registers = `auth_user=${user_name};auth_pass=${password};regint=60;audio_codecs=PCMA`;
    const camera = ['avcodec', 'fakevideo'].map((name) => `module ${name}.so`);
    const settings = ['video_source fakevideo,x', 'video_display fakevideo,x', 'video_size 352x288', 'video_fps 25', 'rtcp_mux yes', ...camera];
    const station = await Telephone.#start({ account: `<sip:${user_name}@${host}:${port};transport=udp>;${registers}`, hertz, settings });
    station.#server = `${host}:${port}`;
    await station.#program.prints(/200 OK/);
    return station;
  }

  static async #start({ account, hertz, says = bursts(hertz, RATE, SPEAKS_S), settings = [] }) {
    const phone = new Telephone();
    phone.port = await freePort();
    const [control, at] = [await freePort(), (file) => join(phone.#folder, file)];
    writeFileSync(at('says.wav'), wavOf(says, RATE));
    const modules = ['g711', 'aubridge', 'aufile', 'sndfile'].map((name) => `module ${name}.so`);
    const applications = ['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`);
    const config = [
      'poll_method epoll',
      `sip_listen ${HOST}:${phone.port}`,
      'audio_player aubridge,x',
      `audio_source aufile,${at('says.wav')}`,
      'audio_alert aubridge,x',
      `snd_path ${phone.#folder}`,
      `ctrl_tcp_listen ${HOST}:${control}`,
      'module_path /usr/lib/baresip/modules',
      ...modules,
      ...settings,
      ...applications,
    ];
    writeFileSync(at('config'), `${config.join('\n')}\n`);
    writeFileSync(at('accounts'), `${account}\n`);
    writeFileSync(at('contacts'), '');
    phone.#program = new Program('baresip', ['-f', phone.#folder]);
    await phone.#program.prints(/baresip is ready/);
    phone.#control = createConnection(control, HOST);
    await once(phone.#control, 'connect');
    return phone;
  }

  get log() {
    return this.#program.log;
  }

  async isCalled() {
    await this.#program.prints(/answering call/);
  }

  /** The call is over, by whoever ended it. */
  async isFree() {
    await this.#program.prints(/terminate|session closed/i);
  }

  #order(command, params = '') {
    const order = JSON.stringify({ command, params });
    this.#control.write(`${order.length}:${order},`);
  }

  press(key) {
    this.#order('sndcode', String(key));
  }

  /** A door station's button: it calls this number of its server's. */
  dial(number) {
    this.#order('dial', `sip:${number}@${this.#server}`);
  }

  hangUp() {
    this.#order('hangup');
  }

  /** All that it heard in its call so far. */
  #heard() {
    const file = readdirSync(this.#folder).find((name) => /^dump-.*-dec\.wav$/.test(name));
    if (!file) return new Int16Array(0);
    const { buffer, byteOffset, length } = readFileSync(join(this.#folder, file));
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
    this.#control?.destroy();
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
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
