// baresip, a telephone that others wrote: in a folder and on ports of its own, told what to do over its control connection.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, HOST } from './ports.mjs';
import { Program } from './program.mjs';

/** Its own camera and display, in H.264 by FFmpeg. */
export const PICTURES = ['video_source fakevideo,x', 'video_display fakevideo,x', 'module avcodec.so', 'module fakevideo.so'];

/** The account of a device that registers with what its administrator was shown. `more`: further settings of it. */
export function registering({ servers, user_name, password }, more) {
  const { host, port } = servers.find(({ transport }) => transport === 'udp');
  return `<sip:${user_name}@${host}:${port};transport=udp>;auth_user=${user_name};auth_pass=${password};regint=60;${more}`;
}

export class Baresip {
  /** Where it listens, UDP and TCP. */
  port;
  folder = mkdtempSync(join(tmpdir(), 'klinke-baresip-'));
  #program;
  #control;

  /**
   * `account`: a line of its accounts. `host`: its own address. `settings`: further lines of its configuration, given its folder;
   * without an `audio_source` its loudspeaker is wired to its microphone.
   */
  static async start(account, { host = HOST, settings = () => [] } = {}) {
    const phone = new Baresip();
    try {
      await phone.#begin(account, host, settings(phone.folder));
    } catch (error) {
      await phone.stop();
      throw error;
    }
    return phone;
  }

  async #begin(account, host, settings) {
    const file = (name, text) => writeFileSync(join(this.folder, name), text);
    this.port = await freePort(host);
    const control = await freePort();
    const sound = settings.some((line) => line.startsWith('audio_source')) ? [] : ['audio_source aubridge,x'];
    const modules = ['g711', 'aubridge'].map((name) => `module ${name}.so`);
    const applications = ['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`);
    const config = [
      'poll_method epoll',
      `sip_listen ${host}:${this.port}`,
      'audio_player aubridge,x',
      'audio_alert aubridge,x',
      ...sound,
      `ctrl_tcp_listen ${HOST}:${control}`,
      'module_path /usr/lib/baresip/modules',
      ...modules,
      ...settings,
      ...applications,
    ];
    file('config', `${config.join('\n')}\n`);
    file('accounts', `${account}\n`);
    file('contacts', '');
    this.#program = new Program('baresip', ['-f', this.folder]);
    await this.#program.prints(/baresip is ready/);
    this.#control = createConnection(control, HOST);
    await once(this.#control, 'connect');
  }

  get log() {
    return this.#program.log;
  }

  prints(pattern) {
    return this.#program.prints(pattern);
  }

  order(command, params = '') {
    const order = JSON.stringify({ command, params });
    this.#control.write(`${order.length}:${order},`);
  }

  /** `signal`: one whose account was taken away would try for ten seconds to take its leave. */
  async stop(signal) {
    this.#control?.destroy();
    await this.#program?.stop(signal);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
