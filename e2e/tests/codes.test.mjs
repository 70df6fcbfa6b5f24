// A code of one's own: allowed by the administrator, asked for on the phone, typed at the panel, and made anew.
// Runs alone: a panel that waits for a second.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** Types digits on the panel's screen, and asks. */
async function type(page, digits) {
  await page.getByRole('button', { name: t('panel-pass'), exact: true }).click();
  await page.getByRole('heading', { level: 1, name: t('panel-pass-title') }).waitFor();
  for (const digit of digits) await page.getByRole('button', { name: digit, exact: true }).click();
  await page.getByRole('button', { name: t('panel-pass-open'), exact: true }).click();
}

scenario('a resident’s own code opens at the panel, and the one before does not', async (world) => {
  const bell = world.town.bell('individual');
  const [resident] = bell.residents;
  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-policy');
  await page.getByLabel(t('admin-policy-own-codes'), { exact: true }).check();
  await page.getByLabel(t('admin-policy-duress-codes'), { exact: true }).check();
  await page.getByRole('button', { name: t('admin-ground-save'), exact: true }).click();
  await page.getByText(t('admin-policy-saved')).waitFor();
  await look(page, 'admin-policy-codes');

  const app = await world.app(resident);
  const phone = app.page;
  await phone.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
  const mine = phone.getByRole('region', { name: t('app-codes'), exact: true });
  await mine.getByText(t('app-code-none')).waitFor();
  await mine.getByRole('button', { name: t('app-code-get') }).click();
  const shown = mine.locator('[data-code]');
  const digits = async () => ((await shown.textContent()) ?? '').replaceAll(/\D/g, '');
  await shown.waitFor();
  const first = await digits();
  assert.match(first, /^(\d{6}|\d{8})$/);
  await mine.scrollIntoViewIfNeeded();
  await look(phone, 'app-code-shown');
  await fits(phone, 'my code');
  await mine.getByRole('button', { name: t('app-code-hide') }).click();
  await shown.waitFor({ state: 'detached' });
  await mine.evaluate((section) => section.scrollIntoView({ block: 'start' }));
  await look(phone, 'app-code');

  const panel = await world.panel(bell);
  await type(panel.page, first);
  await panel.showsOpen();
  await panel.ready();

  // another one: asked once more, and the one before is worth nothing
  await mine.getByRole('button', { name: t('app-code-new') }).click();
  const asked = phone.getByRole('dialog');
  await asked.getByText(t('app-code-ends')).waitFor();
  await look(phone, 'app-code-new');
  await asked.getByRole('button', { name: t('app-code-new') }).click();
  await shown.waitFor();
  const second = await digits();
  assert.notEqual(second, first);
  await type(panel.page, first);
  await panel.page.locator('main').getByText(t('panel-pass-wrong-code')).first().waitFor();
  // a wrong code makes the panel wait for a second
  const waits = panel.page.locator('main').getByText(pattern('panel-pass-wait')).first();
  const open = panel.page.getByRole('button', { name: t('panel-pass-open'), exact: true });
  for (const digit of second) await panel.page.getByRole('button', { name: digit, exact: true }).click();
  await open.click();
  await waits.or(panel.page.getByRole('heading', { name: t('panel-open') })).first().waitFor();
  if (await waits.isVisible()) {
    await waits.waitFor({ state: 'detached' });
    await open.click();
  }
  await panel.showsOpen();

  // the administrator sees that there is one, and takes it back
  await admin.section('admin-section-people');
  await admin.row(resident.name).getByRole('button', { name: resident.name, exact: true }).click();
  const theirs = page.getByRole('region', { name: t('admin-person-code'), exact: true });
  await theirs.getByText(t('admin-person-code-text')).waitFor();
  await theirs.scrollIntoViewIfNeeded();
  assert.equal((await page.content()).includes(second), false, 'the administrator sees the code');
  await look(page, 'admin-person-code');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-person-code-phone');
  await page.setViewportSize(SIZES.desktop);
  await theirs.getByRole('button', { name: new RegExp(`^${t('admin-person-code-remove')}`) }).click();
  await theirs.waitFor({ state: 'detached' });
  await phone.reload();
  await mine.getByText(t('app-code-none')).waitFor();
}, { fresh: true });
