// What is wrong at the doors: a lock that does not obey, seen by an administrator, and over when it obeys again.
// Runs alone: a lock that does not obey is waited for.

import assert from 'node:assert/strict';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

/** Where the demo's controllers keep their simulated locks; a folder in a lock's place and it can not be moved. */
async function locks(folder) {
  const controllers = join(folder, 'controllers');
  const found = [];
  for (const entry of await readdir(controllers, { withFileTypes: true })) {
    if (entry.isDirectory()) found.push(join(controllers, entry.name, 'outputs'));
  }
  return found;
}

scenario('a lock that does not obey is an alarm until it does, and somebody has seen it', async (world) => {
  const [resident] = world.town.bell('individual').residents;
  const door = 'Garage';
  const app = await world.app(resident);
  const opens = app.page.getByRole('button', { name: t('app-open-named', { door }) });
  await opens.waitFor();

  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-alarms');
  await page.getByText(t('admin-alarms-none'), { exact: true }).waitFor();
  await look(page, 'admin-alarms-none');

  const jammed = (await locks(world.demo.folder)).flatMap((folder) => Array.from({ length: 8 }, (_, output) => join(folder, `${output}.new`)));
  for (const path of jammed) await mkdir(join(path, 'jammed'), { recursive: true });
  await opens.click();
  // it comes by itself: nobody loads the page anew
  const alarm = page.getByRole('listitem').filter({ hasText: t('admin-alarm-output-fault') });
  await alarm.waitFor();
  assert.equal(await alarm.count(), 1);
  await alarm.getByText(door).first().waitFor();
  await alarm.getByText(t('admin-alarm-stands'), { exact: true }).waitFor();
  await alarm.getByText(t('admin-alarm-help-output-fault')).waitFor();
  await page.getByLabel(t('admin-alarm-mail'), { exact: true }).check();
  await page.waitForFunction(() => !document.querySelector('input:disabled'));
  await look(page, 'admin-alarms');
  await fits(page, 'alarms, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-alarms-phone');
  await fits(page, 'alarms, phone');
  await page.setViewportSize(SIZES.desktop);

  // the door and the building say it too
  await admin.section('admin-section-doors');
  await admin.row(door).getByRole('link', { name: t('admin-alarm-output-fault') }).waitFor();
  await look(page, 'admin-alarms-doors');
  await admin.section('admin-section-overview');
  await page.getByRole('main').getByRole('link', { name: /alarm/ }).first().click();
  await alarm.waitFor();

  await alarm.getByRole('button', { name: t('admin-alarm-see') }).click();
  await alarm.getByText(world.demo.told.administrator.name ?? '', { exact: false }).first().waitFor();
  await alarm.getByRole('button', { name: t('admin-alarm-see') }).waitFor({ state: 'detached' });

  for (const path of jammed) await rm(path, { recursive: true });
  await alarm.getByText(t('admin-alarm-stands'), { exact: true }).waitFor({ state: 'detached' });
  await page.getByText(t('admin-alarms-now-none'), { exact: true }).waitFor();
  await page.getByRole('heading', { name: t('admin-alarms-before'), exact: true }).waitFor();
  assert.equal(await alarm.count(), 1, 'one row from its beginning to its end');
  assert.equal(await page.getByLabel(t('admin-alarm-mail'), { exact: true }).isChecked(), true);
  await look(page, 'admin-alarms-before');

  // who saw it stands among the changes
  await admin.section('admin-section-audit');
  await page.getByText(t('admin-audit-alarm-seen'), { exact: true }).first().waitFor();
  await page.getByText(t('admin-audit-alarm-mail'), { exact: true }).first().waitFor();
}, { fresh: true });
