// A real `klinke demo` in a folder of its own, on free ports.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KLINKE } from './program.mjs';

const START_MS = 30_000;
const STOP_MS = 10_000;

export class Demo {
  /** What `--print-json` told: panel_urls, app_url, admin_url, sign_ins, administrator. */
  told;
  #folder;
  #options;
  #child;
  #said = [];

  /** Starts a fresh town. `options`: further arguments, such as `['--ring-seconds', '3']`. */
  static async start(options = []) {
    const demo = new Demo();
    demo.#folder = await mkdtemp(join(tmpdir(), 'klinke-e2e-'));
    demo.#options = options;
    try {
      await demo.#spawn('0');
    } catch (error) {
      await demo.stop();
      throw error;
    }
    return demo;
  }

  /** The server's address. */
  get origin() {
    return new URL(this.told.app_url).origin;
  }

  /** Where it keeps everything. */
  get folder() {
    return this.#folder;
  }

  /** All that the server printed so far. */
  get log() {
    return this.#said.join('\n');
  }

  /** `kill -9`: no goodbye. */
  async kill() {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Starts again after `kill`, on the same folder and port. Gives the time until it was ready, ms. */
  async restart() {
    const start = performance.now();
    await this.#spawn(new URL(this.told.app_url).port);
    return performance.now() - start;
  }

  /** Ends it as an operator would, and removes its folder. */
  async stop() {
    if (this.#child.pid && this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(late);
    }
    // what it started itself (simulated controllers) goes with its process group
    try {
      if (this.#child.pid) process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // nobody is left
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #spawn(port) {
    const words = ['demo', '--dir', this.#folder, '--port', port, '--print-json', ...this.#options];
    const child = spawn(KLINKE, words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    createInterface(child.stderr).on('line', (line) => this.#said.push(line));
    this.told = await new Promise((resolve, reject) => {
      const late = setTimeout(() => fail(`not ready after ${START_MS} ms`), START_MS);
      const fail = (why) => {
        clearTimeout(late);
        reject(new Error(`klinke ${words.join(' ')}: ${why}\n${this.log}`));
      };
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`));
      createInterface(child.stdout).on('line', (line) => {
        this.#said.push(line);
        if (!line.startsWith('{"')) return;
        clearTimeout(late);
        const told = JSON.parse(line);
        if (told.app_url) resolve(told);
      });
    });
  }
}
