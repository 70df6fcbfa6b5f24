// Who lives here, who may open, keys out: through the administrator's pages.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function open(world, section) {
  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section(section);
  return admin;
}

scenario('who lives here says which homes can not be rung, and why', async (world) => {
  const admin = await open(world, 'admin-section-who');
  const { page } = admin;
  await admin.row('Kari Haugen').first().waitFor();
  await look(page, 'admin-who', { forced: true });
  await fits(page, 'who, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-who-phone');
  await fits(page, 'who, phone');
  await page.setViewportSize(SIZES.desktop);
  const all = await page.locator('tbody tr').count();
  const silent = page.getByRole('button', { name: pattern('admin-who-silent') });
  const said = Number(/\d+/.exec(await silent.innerText())?.[0] ?? 1);
  await silent.click();
  await page.waitForFunction((before) => document.querySelectorAll('tbody tr').length !== before, all);
  assert.equal(await page.locator('tbody tr').count(), said, 'as many as the chip says');
  await page.getByRole('searchbox').fill('kari');
  await page.getByText(t('admin-who-none-found')).waitFor();
  await look(page, 'admin-who-none-found');
});

scenario('a door tells who can open it and why, and leads to the person, who tells their doors', async (world) => {
  const admin = await open(world, 'admin-section-doors');
  const { page } = admin;
  await page.getByRole('button', { name: t('admin-door-who-show') }).or(page.getByText(t('admin-door-who-show'))).first().click();
  const peek = page.locator('dialog.peek');
  await peek.getByText('Kari Haugen').waitFor();
  await peek.getByText(pattern('admin-opens-home', { unit: '1101' })).first().waitFor();
  await look(page, 'admin-openers');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-openers-phone');
  await page.setViewportSize(SIZES.desktop);
  await peek.getByRole('link', { name: 'Kari Haugen' }).click();
  await page.getByRole('heading', { name: 'Kari Haugen' }).waitFor();
  await page.getByRole('heading', { name: t('admin-person-doors') }).waitFor();
  await look(page, 'admin-person-doors');
});

scenario('what was forgotten is told with its remedy, and goes with it', async (world) => {
  const admin = await open(world, 'admin-section-keys');
  const { page } = admin;
  await page.getByRole('heading', { name: t('admin-keys-holders') }).waitFor();
  await admin.row('Kari Haugen').first().waitFor();
  await look(page, 'admin-keys');
  await fits(page, 'keys, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-keys-phone');
  await fits(page, 'keys, phone');
});
