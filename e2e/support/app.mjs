// The resident's app, as a person uses it.

import assert from 'node:assert/strict';
import { pattern, t } from './texts.mjs';

export class App {
  constructor(page, resident) {
    this.page = page;
    this.resident = resident;
  }

  async signIn(url) {
    await this.page.goto(url);
    await this.page.getByLabel(t('app-user-name')).fill(this.resident.user_name);
    await this.page.getByLabel(t('app-password'), { exact: true }).fill(this.resident.password);
    await this.page.getByRole('button', { name: t('app-sign-in'), exact: true }).click();
    await this.ready();
  }

  /** The doors are there and the connection stands: this device rings. */
  async ready() {
    await this.page.getByText(t('app-rings-here')).waitFor();
  }

  /** The call on the screen. */
  get call() {
    return this.page.getByRole('dialog');
  }

  async rings() {
    await this.call.getByText(t('app-ringing')).first().waitFor();
  }

  /** Does not ring now. Ask after something that is known to come later than a ring would. */
  async isQuiet() {
    assert.equal(await this.call.count(), 0, `${this.resident.name} is rung`);
  }

  /** The visitor's picture moves. */
  async seesPicture() {
    const video = this.call.locator('video').first();
    await video.waitFor();
    const frames = () => video.evaluate((v) => (v.videoWidth > 0 ? v.getVideoPlaybackQuality().totalVideoFrames : 0));
    const first = await this.#until(frames, (n) => n > 0, 'the first frame of the picture');
    await this.#until(frames, (n) => n > first + 5, 'a moving picture');
  }

  answer() {
    return this.call.getByRole('button', { name: t('app-answer') }).click();
  }

  decline() {
    return this.call.getByRole('button', { name: t('app-not-now') }).click();
  }

  hangUp() {
    return this.call.getByRole('button', { name: t('app-hang-up') }).click();
  }

  async talks() {
    await this.call.getByText(t('app-talking')).first().waitFor();
  }

  /** Opens the (first) door of the call; waits until the app says that it is open. */
  async openDoor() {
    const one = this.call.getByRole('button', { name: t('app-open-door') });
    const several = this.call.getByRole('button', { name: pattern('app-open-named') });
    await one.or(several).first().click();
    // the state "Open" at the end ("Garage Open"), not the wish "Open the door"
    await this.call.getByRole('button', { name: new RegExp(`(^|\\s)${t('door-open')}$`) }).first().waitFor();
  }

  /** The call is over here, and the screen says why. `key`: `app-ended-…`, `app-elsewhere-…`. */
  async says(key, values = {}) {
    await this.call.getByText(pattern(key, values)).first().waitFor();
  }

  /** The words about the last call are gone: the doors are back. */
  async isHome() {
    await this.call.waitFor({ state: 'hidden' });
  }

  async reload() {
    await this.page.reload();
  }

  async #until(read, enough, what) {
    let value;
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      value = await read();
      if (enough(value)) return value;
      await this.page.waitForTimeout(50);
    }
    throw new Error(`${this.resident.name} waited for ${what}, last saw ${value}`);
  }
}
