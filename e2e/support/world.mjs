// The town that a test plays in: its server, its panels, its residents' devices.
//
// The tests of a file share one server, for it takes seconds to build a town: what a test did is over before the next
// begins (devices signed out, calls hung up), and after a failure the next test gets a new town. A test that kills
// or counts asks for a town of its own.

import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { App } from './app.mjs';
import { device, launch } from './browser.mjs';
import { Demo } from './demo.mjs';
import { Panel } from './panel.mjs';
import { RESIDENT_HZ, VISITOR_HZ } from './sound.mjs';
import { Town } from './town.mjs';

export const SCREENS = new URL('../screens/', import.meta.url).pathname;

/** Starts the two browsers of a test file; gives the function that declares its tests. */
export function scenarios() {
  let visitors;
  let residents;
  /** By the arguments of `klinke demo`. */
  const houses = new Map();
  before(async () => ([visitors, residents] = await Promise.all([launch(VISITOR_HZ), launch(RESIDENT_HZ)])));
  after(async () => {
    await Promise.all([...houses.values()].map((house) => house.demo.stop()));
    await Promise.all([visitors, residents].map((browser) => browser?.close()));
  });

  const house = async (words, fresh) => {
    const key = words.join(' ');
    if (!fresh && houses.has(key)) return houses.get(key);
    const made = await build(words, residents);
    if (!fresh) houses.set(key, made);
    return made;
  };

  /**
   * A test in a town. `demo`: further arguments of `klinke demo`; `fresh`: a town of its own;
   * `theme`, `forcedColors`: how the pages look.
   */
  return (name, run, { demo: words = [], fresh = false, ...looks } = {}) =>
    test(name, async () => {
      const { demo, town } = await house(words, fresh);
      const world = new World(demo, town, visitors, residents, looks);
      try {
        await run(world);
        await world.leave();
      } catch (error) {
        await world.picture(`failed: ${name}`);
        console.error(demo.log);
        // the town that others share goes on, and is stopped at the end
        if (!fresh) houses.delete(words.join(' '));
        await demo.stop();
        throw error;
      } finally {
        await world.close();
        if (fresh) await demo.stop();
      }
    });
}

async function build(words, browser) {
  const demo = await Demo.start(words);
  try {
    const context = await device(browser, 'desktop');
    const town = await Town.read(demo, context.request);
    await context.close();
    return { demo, town };
  } catch (error) {
    console.error(demo.log);
    await demo.stop();
    throw error;
  }
}

class World {
  demo;
  town;
  #visitors;
  #residents;
  #looks;
  #contexts = [];
  #panels = new Map();

  constructor(demo, town, visitors, residents, looks) {
    this.demo = demo;
    this.town = town;
    this.#visitors = visitors;
    this.#residents = residents;
    this.#looks = looks;
  }

  /** The panel on which a bell hangs; the same one for every call of a test. */
  async panel(bell, size = 'panel') {
    const { url } = bell.panel;
    if (!this.#panels.has(url)) {
      const context = await this.#device(this.#visitors, size);
      const panel = new Panel(await context.newPage(), bell.panel);
      this.#panels.set(url, panel);
      await panel.open();
    }
    return this.#panels.get(url);
  }

  /** A device of a resident, signed in and ready to ring. Each call is another device. */
  async app(resident, size = 'phone') {
    const app = await this.signedOut(resident, size);
    await app.signIn(this.demo.told.app_url);
    return app;
  }

  /** A device on which a resident has not signed in yet. */
  async signedOut(resident, size = 'phone') {
    const context = await this.#device(this.#residents, size);
    return new App(await context.newPage(), resident);
  }

  /** A panel, and a signed-in device for each resident behind a bell. */
  async household(bell) {
    const panel = await this.panel(bell);
    const apps = [];
    for (const resident of bell.residents) apps.push(await this.app(resident));
    return { panel, apps };
  }

  /** A page of somebody who is not signed in. */
  async page(size) {
    const context = await this.#device(this.#residents, size);
    return context.newPage();
  }

  /** Pictures of all that is on every screen, for whoever looks into a failure. */
  async picture(name) {
    mkdirSync(SCREENS, { recursive: true });
    const file = name.replace(/[^\w-]+/g, '-');
    let number = 0;
    for (const page of this.#contexts.flatMap((context) => context.pages())) {
      number += 1;
      await page.screenshot({ path: `${SCREENS}${file}-${number}.png` }).catch(() => undefined);
    }
  }

  /** Nothing of this test goes on: visitors have gone, devices are signed out. */
  async leave() {
    for (const panel of this.#panels.values()) await panel.leave();
    const { origin } = this.demo;
    for (const context of this.#contexts) {
      const cookies = await context.cookies(origin);
      if (cookies.length > 0) await context.request.delete(`${origin}/api/v1/session`, { headers: { origin } });
    }
  }

  async close() {
    await Promise.all(this.#contexts.map((context) => context.close()));
  }

  async #device(browser, size) {
    const context = await device(browser, size, { ...this.#looks, origin: this.demo.origin });
    this.#contexts.push(context);
    return context;
  }
}
