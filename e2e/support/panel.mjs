// The panel at the door, as a visitor uses it.

import assert from 'node:assert/strict';
import { t } from './texts.mjs';

/** Letters as the keys on the panel's screen have them (English layout). */
const keysOf = (label) =>
  [...label.toLowerCase().replaceAll('æ', 'ae').replaceAll('ø', 'o').normalize('NFD')].filter((letter) => /[a-z0-9]/.test(letter));

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
    await this.#names.waitFor();
  }

  get #names() {
    return this.#heading(t('panel-title'));
  }

  /** What a screen says first, in large letters. */
  #heading(words) {
    return this.page.getByRole('heading', { level: 1, name: words });
  }

  /** From the words about a call that is over, or the green screen, to the names. */
  async backToNames() {
    const back = this.page.getByRole('button', { name: t('panel-to-names') });
    await back.or(this.#names).first().waitFor();
    if (await back.isVisible()) await back.click();
    await this.ready();
  }

  /** A button that has these words, whole. */
  #button(...words) {
    const all = words.map((word) => this.page.getByText(word, { exact: true }));
    return all.reduce((button, has) => button.filter({ has }), this.page.getByRole('button')).first();
  }

  /** Finds a name and taps it. */
  async choose(bell) {
    const name = await this.find(bell);
    await name.click();
  }

  /** Finds a name; wakes the screen and types, where the list is longer than the screen. */
  async find({ label, unit }) {
    const name = this.#button(label, unit);
    const wake = this.page.getByRole('button', { name: t('panel-touch') });
    for (const letter of keysOf(label).slice(0, 8)) {
      const key = this.page.getByRole('button', { name: letter.toUpperCase(), exact: true });
      await key.or(wake).or(name).first().waitFor();
      if (await name.isVisible()) break;
      if (await wake.isVisible()) {
        await wake.click();
        await key.or(name).first().waitFor();
        if (await name.isVisible()) break;
      }
      if (await key.isEnabled()) await key.click();
    }
    await name.waitFor();
    return name;
  }

  /** Taps a bell; of a family or business button then one member, or (without `member`) all. */
  async tap(bell, member) {
    await this.choose(bell);
    if (bell.kind !== 'family') return;
    if (member) await this.#button(member).click();
    else await this.page.getByRole('button', { name: t('panel-ring-all') }).click();
  }

  /** Taps, and waits until the panel says that it calls. */
  async ring(bell, member) {
    await this.tap(bell, member);
    await this.#heading(new RegExp(`^${t('panel-calling')}\\s*:\\s*${member ?? bell.label}$`)).waitFor();
  }

  async isCalling() {
    await this.#heading(t('panel-calling')).waitFor();
  }

  async talks() {
    await this.#heading(t('panel-talk')).waitFor();
  }

  /** The door is open, says the panel; it may only say so when the controller did. */
  async showsOpen() {
    await this.#heading(t('panel-open')).waitFor();
  }

  async hangUp() {
    await this.page.getByRole('button', { name: t('panel-end') }).click();
  }

  async cancel() {
    await this.page.getByRole('button', { name: t('panel-cancel') }).click();
  }

  /** Whatever is on the screen, the visitor goes: no call is left behind. */
  async leave() {
    // in one go, for the call may end by itself between a look and a click; an open door hides its buttons for a while
    await this.page.waitForFunction(
      (words) => {
        const screen = document.querySelector('[data-screen]');
        if (!screen || !['asking', 'calling', 'connected'].includes(screen.dataset.screen)) return true;
        [...screen.querySelectorAll('button')].find((button) => words.includes(button.textContent.trim()))?.click();
        return false;
      },
      [t('panel-end'), t('panel-cancel')],
    );
    // the hang-up has left the page when a later message has its answer
    await this.page.evaluate(() => fetch('/healthz'));
  }

  async tryAgain() {
    await this.page.getByRole('button', { name: t('common-try-again') }).click();
  }

  /** The call is over, and the screen says why. `key`: `panel-over-…`. */
  async says(key) {
    await this.#heading(t(key)).waitFor();
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
