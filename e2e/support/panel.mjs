// The panel at the door, as a visitor uses it.

import assert from 'node:assert/strict';
import { pattern, t } from './texts.mjs';

/** A name as the start of a button's words ("Berg", not "Bergström"). */
const startingWith = (label) => new RegExp(`^\\s*${label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\p{L}\\p{N}])`, 'u');

/** Letters that Unicode does not take apart, as the panel's keys have them. */
const KEYS = { æ: 'a', ø: 'o', å: 'a', ä: 'a', ö: 'o' };

export class Panel {
  constructor(page, told) {
    this.page = page;
    this.told = told;
  }

  async open() {
    await this.page.goto(this.told.url);
    await this.ready();
  }

  /** The directory is on the screen. */
  async ready() {
    await this.page.getByRole('heading', { name: t('panel-title') }).waitFor();
  }

  /** Taps a bell; of a family or business button then one member, or (without `member`) all. */
  async tap(bell, member) {
    await this.choose(bell);
    if (bell.kind === 'family') {
      const whom = member ? startingWith(member) : pattern('panel-ring-all');
      await this.page.getByRole('button', { name: whom }).click();
    }
  }

  /** Taps, and waits until the panel says that it calls. */
  async ring(bell, member) {
    await this.tap(bell, member);
    await this.isCalling();
    await this.page.getByText(member ?? bell.label).first().waitFor();
  }

  /** Taps a name; types its first letters where the list is longer than the screen. */
  async choose({ label }) {
    const button = this.page.getByRole('button', { name: startingWith(label) });
    for (const letter of label.toLowerCase().slice(0, 8)) {
      if (await button.first().isVisible()) break;
      const key = this.page.getByRole('button', { name: KEYS[letter] ?? letter, exact: true });
      if (await key.isEnabled()) await key.click();
    }
    await button.first().click();
  }

  async isCalling() {
    await this.page.getByText(t('panel-calling'), { exact: true }).waitFor();
  }

  async talks() {
    await this.page.getByText(t('panel-talk'), { exact: true }).first().waitFor();
  }

  /** The door is open, says the panel; it may only say so when the controller did. */
  async showsOpen() {
    await this.page.getByText(t('panel-open')).first().waitFor();
  }

  async hangUp() {
    await this.page.getByRole('button', { name: t('panel-end') }).click();
  }

  async cancel() {
    await this.page.getByRole('button', { name: t('panel-cancel') }).click();
  }

  async tryAgain() {
    await this.page.getByRole('button', { name: t('common-try-again') }).click();
  }

  /** The call is over, and the screen says why. `key`: `panel-over-…`. */
  async says(key, values = {}) {
    await this.page.getByText(pattern(key, values)).first().waitFor();
  }

  /** Nobody is ever shown to the visitor: no picture but the visitor's own. */
  async showsNobody() {
    const incoming = await this.page.evaluate(() =>
      [...window.klinkeTest.connections].flatMap((connection) =>
        connection.getTransceivers().filter(({ receiver, currentDirection }) =>
          receiver.track.kind === 'video' && ['recvonly', 'sendrecv'].includes(currentDirection),
        ),
      ).length,
    );
    assert.equal(incoming, 0, 'the panel receives a picture');
  }

  async reload() {
    // the address without its one-time ticket: what a kiosk that starts again opens
    await this.page.goto(new URL('/panel', this.told.url).href);
  }
}
