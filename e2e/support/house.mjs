// A house on a server of its own, made by the requests that an administrator's page sends: an entrance, homes, and a door whose
// controller has a simulated lock.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from './app.mjs';
import { device } from './browser.mjs';
import { KLINKE, KLINKE_DOOR, Program } from './program.mjs';
import { t } from './texts.mjs';

const OWNER = { user_name: 'styret', password: 'gul sykkel i regnet' };
const RESIDENT = 'lang kveld ved sjøen';
const LISTEN = '127.0.0.1:0';

export class House {
  origin;
  building;
  entrance;
  door;
  units;
  /** Each release of the door's lock, by when it ends: the simulated lock says it in a file. */
  releases = new Set();
  #folder;
  #server;
  #context;
  #controller;
  #watching;

  /** `browser`: whose requests are the administrator's. `env`: the server's further settings. Ends what it began when it fails. */
  static async start(browser, env) {
    const house = new House();
    try {
      await house.#build(browser, env);
    } catch (error) {
      await house.stop();
      throw error;
    }
    return house;
  }

  async #build(browser, env) {
    this.#folder = await mkdtemp(join(tmpdir(), 'klinke-house-'));
    const listens = { KLINKE_HTTP__LISTEN: LISTEN, KLINKE_CONTROLLERS__LISTEN: LISTEN, KLINKE_MEDIA__LISTEN: LISTEN };
    const data = { KLINKE_DATA__FOLDER: join(this.#folder, 'data') };
    this.#server = new Program(KLINKE, ['serve'], { cwd: this.#folder, env: { ...data, ...listens, ...env } });
    [, this.origin] = await this.#server.prints(/Klinke is at (\S+)/);
    const [, code] = await this.#server.prints(/type this code: (\S+)/);
    this.#context = await device(browser, 'desktop', { origin: this.origin });
    await this.sent('post', '/setup/claim', { code, organisation: 'Nordlys', name: 'Kari Styreleder', ...OWNER });
    await this.sent('post', '/confidentiality', { version: 1 });
    this.building = await this.sent('post', '/buildings', { name: 'Solsiden', address: 'Solveien 1', kind: 'residential', time_zone: 'Europe/Oslo' });
    this.entrance = await this.sent('post', `${this.path}/entrances`, { name: 'A' });
    this.door = await this.sent('post', `${this.path}/doors`, { name: 'Street door', everybody: false });
    await this.sent('post', `${this.path}/units`, { entrance: this.entrance.id, numbers: '101-102', doors: [this.door.id] });
    this.units = (await this.sent('get', `${this.path}/units`)).items;
    await this.#hangController();
  }

  /** Of the building, in the API. */
  get path() {
    return `/buildings/${this.building.id}`;
  }

  /** Asks the server as the property manager. */
  async sent(method, path, data) {
    const { origin } = this;
    const answer = await this.#context.request[method](`${origin}/api/v1${path}`, { headers: { origin }, ...(data && { data }) });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
    return answer.status() === 204 ? undefined : answer.json();
  }

  async #hangController() {
    const { address, authority_sha256 } = await this.sent('get', '/controller-pairing');
    const state = join(this.#folder, 'door');
    const pairing = new Program(KLINKE_DOOR, ['pair', '--server', address, '--authority-sha256', authority_sha256, '--state', state, '--outputs', '1']);
    const [typed] = await pairing.prints(/\d{4} \d{4}/);
    await this.sent('post', `${this.path}/controllers`, { code: typed, name: 'Basement', doors: [{ door: this.door.id, output: 0 }] });
    await pairing.prints(/Paired\./);
    this.#controller = new Program(KLINKE_DOOR, ['run', '--simulated', '--server', address, '--state', state, '--outputs', '1']);
    await this.#controller.prints(/linked to the server/);
    this.#watching = setInterval(() => {
      const [, until] = /^released until (\d+)/.exec(readFileSync(join(state, 'outputs/0'), 'utf8')) ?? [];
      if (until) this.releases.add(until);
    }, 50);
  }

  /** Somebody moves in, and has a doorbell on this panel. */
  async moveIn(panel, { label, unit, kind }) {
    const { id: home } = this.units.find(({ number }) => number === unit);
    const person = await this.sent('post', '/people', { name: `${label} Nordmann`, language: 'en', homes: [{ unit: home, owner: false }] });
    const bell = await this.sent('post', `${this.path}/bells`, { panel: panel.id, unit: home, label, kind });
    return { person, bell };
  }

  /** Somebody's app: they are invited, and choose a password. `script`: runs in its pages before their own. */
  async app(browser, person, script) {
    const { link, user_name } = await this.sent('post', `/people/${person.id}/invitation`);
    const context = await device(browser, 'phone', { origin: this.origin });
    if (script) await context.addInitScript(script);
    const page = await context.newPage();
    const app = new App(page, { name: person.name, user_name, password: RESIDENT });
    await page.goto(link);
    await page.getByLabel(t('app-password'), { exact: true }).fill(RESIDENT);
    await page.locator('form button[type=submit]').click();
    await app.ready();
    return app;
  }

  async stop() {
    clearInterval(this.#watching);
    await this.#controller?.stop();
    await this.#server?.stop();
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }
}
