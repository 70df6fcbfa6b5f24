// The administrator's pages, as an administrator uses them.

import { t } from './texts.mjs';

export class Admin {
  constructor(page) {
    this.page = page;
  }

  async signIn(url, { user_name, password }) {
    await this.page.goto(url);
    await this.page.getByLabel(t('app-user-name')).fill(user_name);
    await this.page.getByLabel(t('app-password'), { exact: true }).fill(password);
    await this.page.getByRole('button', { name: t('app-sign-in'), exact: true }).click();
    await this.ready();
  }

  /** Binds themselves to confidentiality; until that is kept, the page asks. */
  async accept() {
    const accept = this.page.getByRole('button', { name: t('admin-confidentiality-accept') });
    await accept.click();
    await accept.waitFor({ state: 'detached' });
    await this.ready();
  }

  async ready() {
    await this.page.getByRole('button', { name: t('app-sign-out') }).waitFor();
  }

  /** Opens a building from the list of buildings. */
  async enter(building) {
    await this.page.getByRole('link', { name: building }).click();
    await this.page.getByRole('heading', { level: 1, name: building }).waitFor();
    await this.loaded();
  }

  /** Opens a part of the building. `key`: `admin-section-…`. */
  async section(key) {
    await this.page.getByRole('navigation').getByRole('link', { name: t(key), exact: true }).click();
    await this.page.getByRole('navigation').locator('[aria-current=page]', { hasText: t(key) }).waitFor();
    await this.loaded();
  }

  /** Everything that was asked for is on the screen. */
  async loaded() {
    await this.page.getByRole('heading', { level: 1 }).waitFor();
    await this.page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
  }

  get dialog() {
    return this.page.getByRole('dialog');
  }

  /** The row of a table that has this name. */
  row(name) {
    return this.page.getByRole('row').filter({ hasText: name });
  }
}
