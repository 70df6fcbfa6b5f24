// A fresh town for one test: its server, its panels, its residents' devices.

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
  before(async () => ([visitors, residents] = await Promise.all([launch(VISITOR_HZ), launch(RESIDENT_HZ)])));
  after(() => Promise.all([visitors, residents].map((browser) => browser?.close())));

  /** A test in a fresh town. `options.demo`: further arguments of `klinke demo`. */
  return (name, run, options = {}) =>
    test(name, async () => {
      const world = await World.start(visitors, residents, options);
      try {
        await run(world);
      } catch (error) {
        await world.picture(`failed: ${name}`);
        console.error(world.demo.log);
        throw error;
      } finally {
        await world.stop();
      }
    });
}

class World {
  demo;
  town;
  #visitors;
  #residents;
  #theme;
  #contexts = [];
  #panels = new Map();

  static async start(visitors, residents, { demo = [], theme = 'light' }) {
    const world = new World();
    world.#visitors = visitors;
    world.#residents = residents;
    world.#theme = theme;
    world.demo = await Demo.start(demo);
    try {
      const office = await world.#device(residents, 'desktop');
      world.town = await Town.read(world.demo, office.request);
    } catch (error) {
      console.error(world.demo.log);
      await world.stop();
      throw error;
    }
    return world;
  }

  /** The panel on which a bell hangs; the same one for every call of a test. */
  async panel(bell) {
    const { url } = bell.panel;
    if (!this.#panels.has(url)) {
      const context = await this.#device(this.#visitors, 'panel');
      const panel = new Panel(await context.newPage(), bell.panel);
      this.#panels.set(url, panel);
      await panel.open();
    }
    return this.#panels.get(url);
  }

  /** A device of a resident, signed in and ready to ring. Each call is another device. */
  async app(resident, size = 'phone') {
    const context = await this.#device(this.#residents, size);
    const app = new App(await context.newPage(), resident);
    await app.signIn(this.demo.told.app_url);
    return app;
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

  async stop() {
    await Promise.all(this.#contexts.map((context) => context.close()));
    await this.demo.stop();
  }

  async #device(browser, size) {
    const context = await device(browser, size, { theme: this.#theme, origin: this.demo.origin });
    this.#contexts.push(context);
    return context;
  }
}
