// A program of Klinke in a folder of its own, and what it prints.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export const KLINKE = process.env.KLINKE_BINARY ?? new URL('../../target/debug/klinke', import.meta.url).pathname;
export const KLINKE_DOOR = join(dirname(KLINKE), 'klinke-door');
const PATIENCE_MS = 20_000;
const STOP_MS = 10_000;

export class Program {
  #name;
  #child;
  #lines = [];
  #waiting = new Set();

  constructor(file, words, { env = {}, cwd } = {}) {
    this.#name = [file.split('/').pop(), ...words].join(' ');
    // our own variables look like the server's settings
    const { KLINKE_BINARY: _binary, KLINKE_PICTURES: _pictures, KLINKE_CHROMIUM: _chromium, ...others } = process.env;
    this.#child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...others, ...env }, cwd });
    // `prints` says that it is not there
    this.#child.once('error', (error) => this.#lines.push(error.message));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface(stream).on('line', (line) => {
        this.#lines.push(line);
        for (const look of this.#waiting) look();
      });
    }
    this.#child.once('exit', () => {
      for (const look of this.#waiting) look();
    });
  }

  get log() {
    return this.#lines.join('\n');
  }

  get #ended() {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until it has printed this; gives the match. */
  prints(pattern) {
    return new Promise((resolve, reject) => {
      const end = (done, value) => {
        clearTimeout(late);
        this.#waiting.delete(look);
        done(value);
      };
      const fail = (why) => end(reject, new Error(`${this.#name}: ${why} without ${pattern}\n${this.log}`));
      const look = () => {
        const found = pattern.exec(this.log);
        if (found) end(resolve, found);
        else if (this.#ended) fail('ended');
      };
      const late = setTimeout(() => fail('went on'), PATIENCE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  /** Ends it as an operator would; `signal`: or as a power cut does. */
  async stop(signal = 'SIGTERM') {
    if (this.#ended) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }
}
