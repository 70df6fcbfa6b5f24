// What is special about a door: held open or shut, its order and hours, and the emergency of a building.
// Runs alone: doors that are held open and shut.

import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { dismissToasts, fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

scenario('a door is held open and shut, its rules are kept, and a lock-down holds them all', async (world) => {
  const [resident] = world.town.bell('individual').residents;
  const door = 'Garage';
  const app = await world.app(resident);
  const opens = app.page.getByRole('button', { name: t('app-open-named', { door }) });
  await opens.waitFor();

  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-doors');
  const row = page.getByRole('row', { name: new RegExp(door) });
  const hold = async (how) => {
    await row.getByRole('button', { name: t('admin-door-hold', { name: door }) }).click();
    if (how === 'shut') await look(page, 'admin-door-hold');
    await admin.dialog.getByRole('button', { name: t(`admin-door-hold-${how}`), exact: true }).click();
  };

  // the list says what the controller made of it, not what was wished
  await hold('open');
  await row.getByText(t('door-held-open'), { exact: true }).waitFor();
  await hold('shut');
  await row.getByText(t('door-blocked'), { exact: true }).waitFor();
  await hold('none');
  await row.getByText(t('door-locked'), { exact: true }).waitFor();

  // its rules
  const settings = row.getByRole('button', { name: t('admin-door-settings', { name: door }) });
  await settings.click();
  const { dialog } = admin;
  await dialog.getByText(pattern('admin-rights-from')).waitFor();
  await look(page, 'admin-door-told');
  await dialog.getByLabel(t('admin-door-two-people'), { exact: true }).fill('2');
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  await dialog.getByText(pattern('error-out-of-range')).first().waitFor();
  await dialog.getByLabel(t('admin-door-two-people'), { exact: true }).fill('15');
  await dialog.getByLabel(t('admin-door-airlock'), { exact: true }).fill('7');
  await dialog.getByLabel(t('admin-door-after'), { exact: true }).selectOption({ index: 1 });
  await dialog.getByLabel(t('admin-door-copyable'), { exact: true }).check();
  await look(page, 'admin-door-settings');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-door-settings-phone');
  await page.setViewportSize(SIZES.desktop);
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  await dialog.waitFor({ state: 'hidden' });
  await settings.click();
  const two = dialog.getByLabel(t('admin-door-two-people'), { exact: true });
  await two.waitFor();
  if ((await two.inputValue()) !== '15') throw new Error(`two people: ${await two.inputValue()}`);
  // who taps meanwhile is told what to do, as soon as the controller decides by it
  const refused = app.page.getByText(t('door-refused-door-before-first'));
  for (const until = Date.now() + 10_000; Date.now() < until && (await refused.count()) === 0; ) {
    await opens.click();
    await app.page.waitForTimeout(300);
  }
  await refused.first().waitFor();
  await look(app.page, 'app-door-before-first');
  // the order holds for openings from the app too: without it from here on
  await two.fill('');
  await dialog.getByLabel(t('admin-door-airlock'), { exact: true }).fill('');
  await dialog.getByLabel(t('admin-door-after'), { exact: true }).selectOption({ index: 0 });
  await dialog.getByRole('button', { name: t('admin-ground-save') }).click();
  await dialog.waitFor({ state: 'hidden' });
  await dismissToasts(page);

  // how old the rights are that the controller decides by; the demo's locks are simulated, so nobody tells how they are wired
  await row.getByText(`${t('admin-lock')}: ${t('admin-lock-unknown')}`).waitFor();
  await admin.section('admin-section-controllers');
  await page.getByText(pattern('admin-rights-confirmed')).waitFor();
  await look(page, 'admin-controllers-rights');
  await page.setViewportSize(SIZES.phone);
  await fits(page, 'controllers, phone');
  await look(page, 'admin-controllers-rights-phone');
  await page.setViewportSize(SIZES.desktop);
  await admin.section('admin-section-doors');

  // the emergency
  await page.getByRole('button', { name: t('admin-lock-down') }).click();
  await look(page, 'admin-lock-down-ask');
  await dialog.getByRole('button', { name: t('admin-lock-down') }).click();
  await page.getByText(t('admin-lock-down-on')).waitFor();
  // as the controller says it, which decides by itself
  await row.getByText(t('door-locked-down'), { exact: true }).waitFor();
  await look(page, 'admin-lock-down');
  await fits(page, 'doors, desktop');
  await page.setViewportSize(SIZES.phone);
  await fits(page, 'doors, phone');
  await page.setViewportSize(SIZES.desktop);
  await app.page.getByText(t('app-closed-locked-down')).first().waitFor();
  if (!(await opens.isDisabled())) throw new Error('the app offers a door that nobody opens');
  await look(app.page, 'app-locked-down');
  await page.getByRole('button', { name: t('admin-lock-down-end') }).click();
  await page.getByRole('button', { name: t('admin-lock-down') }).waitFor();
  await row.getByText(t('door-locked'), { exact: true }).waitFor();
  await app.reload();
  await app.ready();
  await opens.click();
  await app.page.locator('article.open', { hasText: door }).waitFor();
}, { fresh: true });
