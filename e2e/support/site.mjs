// A door controller as an installer leaves it: `klinke-door` with a reader of libosdp on a line and a relay of pymodbus, both
// programs that others wrote, started by the scripts of the controller's tests.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { KLINKE, KLINKE_DOOR, Program } from './program.mjs';

const PATIENCE_MS = 20_000;
const SCRIPTS = new URL('../../crates/controller/tests/peers/', import.meta.url).pathname;
/** Made by `./test`, beside the programs. */
const PYTHON = join(dirname(KLINKE), '../peers/bin/python');

/** What `what` gives once it gives something. */
export async function until(what, find, patience = PATIENCE_MS) {
  for (const end = performance.now() + patience; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const found = await find();
    if (found) return found;
    if (performance.now() > end) throw new Error(`never came: ${what}`);
  }
}

/** A script of `crates/controller/tests/peers`, spoken to in lines of JSON. */
class Peer {
  /** What it said, oldest first. */
  said = [];
  #child;

  static async start(script, argument) {
    const peer = new Peer();
    peer.#child = spawn(PYTHON, [join(SCRIPTS, script), JSON.stringify(argument)], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface(peer.#child.stdout).on('line', (line) => {
      if (line.startsWith('{')) peer.said.push(JSON.parse(line));
    });
    await until(`${script} is ready`, () => peer.said.some(({ ready }) => ready));
    return peer;
  }

  order(order) {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

const COIL = 3;
const LAMP = { 1: 'red', 2: 'green', 3: 'amber', 4: 'blue' };

/** A controller with one door, its relay and its reader. */
export class Site {
  #folder;
  #line;
  #reader;
  #relay;
  #running;

  /** Pairs it over the API as an administrator, for this door, keys its reader, and runs it until it is online. */
  static async install({ origin, request, building, door, name }) {
    const site = new Site();
    try {
      await site.#install({ origin, request, building, door, name });
      return site;
    } catch (error) {
      console.error(site.#running?.log);
      await site.remove();
      throw error;
    }
  }

  async #install({ origin, request, building, door, name }) {
    this.#folder = await mkdtemp(join(tmpdir(), 'klinke-site-'));
    const at = (part) => join(this.#folder, part);
    const api = async (method, path, data) => {
      const answer = await request.fetch(`${origin}/api/v1${path}`, { method, data, headers: { origin } });
      if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
      return answer.json();
    };
    const { address, authority_sha256 } = await api('GET', '/controller-pairing');
    const [state, hardware] = [at('state'), at('hardware.toml')];
    const pairing = new Program(KLINKE_DOOR, ['pair', '--server', address, '--authority-sha256', authority_sha256, '--state', state, '--outputs', '1']);
    const [code] = await pairing.prints(/\d{4} \d{4}/);
    await api('POST', `/buildings/${building}/controllers`, { code, name, doors: [{ door, output: 0 }] });
    await pairing.prints(/Paired\./);

    this.#line = spawn('socat', [`pty,raw,echo=0,link=${at('ours')}`, `pty,raw,echo=0,link=${at('theirs')}`], { stdio: 'ignore' });
    await until('a line', () => existsSync(at('ours')) && existsSync(at('theirs')));
    const port = await freePort();
    this.#relay = await Peer.start('modbus_unit.py', { port, unit: 1 });
    this.#reader = await Peer.start('osdp_reader.py', { path: at('theirs'), address: 1, install: true, serial: 1007 });
    const output = `[[output]]\nnumber = 0\nlock = "fail_secure"\non.modbus_tcp = { host = "127.0.0.1", port = ${port}, unit = 1, coil = ${COIL}, ends_by = "waveshare_flash" }\n`;
    const reader = `[[reader]]\nnumber = 0\noutput = 0\non.osdp = { device = "${at('ours')}", baud = 115200, address = 1 }\n`;
    await writeFile(hardware, output + reader);
    const keyed = new Program(KLINKE_DOOR, ['key-reader', '--state', state, '--hardware', hardware, '--reader', '0']);
    await keyed.prints(/Keyed:.*serial number 1007/);
    await keyed.stop();

    this.#running = new Program(KLINKE_DOOR, ['run', '--server', address, '--state', state, '--hardware', hardware]);
    await this.#running.prints(/a reader is online/);
    await this.#running.prints(/linked to the server/);
  }

  /** How often the lock's relay was switched on so far. */
  get releases() {
    return this.#relay.said.filter(({ coil, is }) => coil === COIL && is).length;
  }

  /** The relay is off again, by its own time. */
  async locks() {
    await until('the lock is locked', () => this.#relay.said.filter(({ coil }) => coil === COIL).at(-1)?.is === false);
  }

  /** Holds a card of 26 bits against the reader; the colour that the reader shows for it. */
  async hold(card) {
    const before = this.#reader.said.length;
    this.#reader.order({ card, bits: 26 });
    const read = await until('the reader to read a card', () => this.#reader.said.slice(before).find((line) => 'done' in line));
    assert.ok(read.done, 'the reader did not take the card: it is not in its Secure Channel, or has too many to tell');
    const lamp = await until('the lamp of the reader', () => this.#reader.said.slice(before).find(({ told, temporary }) => told === 'lamp' && temporary));
    return LAMP[lamp.on_color];
  }

  /** The reader shows that it waits for a card. */
  async waits() {
    await until('a blue lamp', () => LAMP[this.#reader.said.findLast(({ told }) => told === 'lamp')?.on_color] === 'blue');
  }

  /** Nothing of what was read is in the log. */
  saysNothingOf(...words) {
    for (const word of words) assert.ok(!this.#running.log.toLowerCase().includes(word.toLowerCase()), `${word} is in the controller's log`);
  }

  async remove() {
    await this.#running?.stop();
    await this.#reader?.stop();
    await this.#relay?.stop();
    this.#line?.kill('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
