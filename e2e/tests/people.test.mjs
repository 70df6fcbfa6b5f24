// People and moves, through the administrator's pages.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function peoplePage(world) {
  const page = await world.page('desktop');
  const admin = new Admin(page);
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  await admin.section('admin-section-people');
  return admin;
}

const peek = (admin) => admin.page.locator('dialog.peek');

/** Clicks, and counts. */
function counted() {
  let clicks = 0;
  return { click: async (what) => ((clicks += 1), what.click()), get clicks() { return clicks; } };
}

async function add(admin, { name, unit, email = '' }) {
  await admin.page.getByRole('button', { name: t('admin-person-add') }).click();
  const { dialog } = admin;
  await dialog.getByLabel(t('admin-name')).fill(name);
  await dialog.getByLabel(t('admin-unit')).selectOption({ label: unit });
  await dialog.getByLabel(t('admin-person-email')).fill(email);
  await dialog.getByRole('button', { name: t('admin-person-add') }).click();
  await dialog.waitFor({ state: 'detached' });
}

scenario('a new person is found with three keys, and opened with Enter', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await page.getByRole('button', { name: t('admin-person-add') }).click();
  await look(page, 'admin-person-add');
  await admin.dialog.getByLabel(t('admin-unit')).selectOption({ label: '1202' });
  await admin.dialog.getByLabel(t('admin-person-phone')).fill('call me');
  await admin.dialog.getByRole('button', { name: t('admin-person-add') }).click();
  await admin.dialog.getByText(t('error-not-a-phone')).first().waitFor();
  await look(page, 'admin-person-add-wrong');
  await admin.dialog.getByRole('button', { name: t('common-cancel') }).click();

  await add(admin, { name: 'Åse Ødegård', unit: '1202', email: 'ase@example.org' });
  await page.getByRole('searchbox').focus();
  await page.keyboard.type('øde');
  await admin.row('Åse Ødegård').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.getByRole('searchbox').fill('1202');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
  await admin.row('Rolf Østby').waitFor();
  await page.getByRole('searchbox').fill('qqq');
  await page.getByText(t('admin-people-none-found')).waitFor();
  await look(page, 'admin-people-none-found');
});

scenario('two administrators edit one person at once, and nothing is lost', async (world) => {
  const [first, second] = [await peoplePage(world), await peoplePage(world)];
  for (const admin of [first, second]) {
    await admin.page.getByRole('searchbox').fill('siri dahl');
    await admin.page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    await admin.row('Siri Dahl').getByRole('button', { name: 'Siri Dahl', exact: true }).click();
    await peek(admin).getByLabel(t('admin-person-email')).waitFor();
  }
  const save = (admin) => peek(admin).getByRole('button', { name: t('admin-person-save') }).click();
  await peek(first).getByLabel(t('admin-person-email')).fill('siri@first.example');
  await peek(first).getByLabel(t('admin-person-phone')).fill('+47 915 00 111');
  await save(first);
  await first.page.getByText(t('admin-person-saved')).waitFor();

  await peek(second).getByLabel(t('admin-person-email')).fill('siri@second.example');
  await save(second);
  const conflict = second.page.getByRole('dialog').filter({ hasText: t('admin-ground-conflict-text') });
  await conflict.waitFor();
  await look(second.page, 'admin-person-conflict');
  await conflict.getByText('siri@second.example').click();
  await conflict.getByRole('button', { name: t('admin-ground-conflict-save') }).click();
  await second.page.getByText(t('admin-person-saved')).waitFor();
  await second.page.reload();
  await second.loaded();
  await second.row('Siri Dahl').getByRole('button', { name: 'Siri Dahl', exact: true }).click();
  await peek(second).getByLabel(t('admin-person-email')).waitFor();
  assert.equal(await peek(second).getByLabel(t('admin-person-email')).inputValue(), 'siri@second.example');
  assert.equal(await peek(second).getByLabel(t('admin-person-phone')).inputValue(), '+4791500111', 'the other one’s change is kept');
  await look(second.page, 'admin-person');
  await second.page.setViewportSize(SIZES.phone);
  await look(second.page, 'admin-person-phone');
});

scenario('a household moves out with two clicks, and the move is taken back with one', async (world) => {
  const admin = await peoplePage(world);
  const { page } = admin;
  await look(page, 'admin-people');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-people-phone');
  await fits(page, 'people on a phone');
  await page.setViewportSize(SIZES.desktop);
  await page.getByRole('searchbox').fill('kari hau');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);

  const hand = counted();
  await hand.click(admin.row('Kari Haugen').getByRole('button', { name: t('admin-move-out') }));
  await peek(admin).getByText(t('admin-move-ends')).waitFor();
  await look(page, 'admin-move-out');
  await hand.click(peek(admin).getByRole('button', { name: t('admin-move-confirm') }));
  await page.getByText(pattern('admin-move-planned', { unit: '1101' })).waitFor();
  assert.equal(hand.clicks, 2);
  await admin.row('Kari Haugen').getByText(pattern('admin-people-leaves')).waitFor();
  await page.getByRole('heading', { name: t('admin-moves') }).waitFor();
  await look(page, 'admin-move-planned');

  await page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await page.getByText(t('admin-ground-undone')).waitFor();
  await page.getByRole('heading', { name: t('admin-moves') }).waitFor({ state: 'detached' });
  assert.equal(await admin.row('Kari Haugen').getByText(pattern('admin-people-leaves')).count(), 0);
});

scenario('who is suspended is signed out at once, and may come back', async (world) => {
  const bell = world.town.bell('individual');
  const [resident] = bell.residents;
  const app = await world.app(resident);
  const admin = await peoplePage(world);
  await admin.page.getByRole('searchbox').fill(resident.name);
  await admin.page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await admin.row(resident.name).getByRole('button', { name: resident.name, exact: true }).click();
  await peek(admin).getByRole('button', { name: t('admin-person-suspend'), exact: true }).click();
  await admin.page.getByText(t('admin-person-suspended', { name: resident.name })).waitFor();
  await app.page.getByText(t('app-signed-out-elsewhere')).waitFor();
  await admin.page.getByRole('button', { name: t('admin-ground-undo') }).click();
  await admin.page.getByText(t('admin-ground-undone')).waitFor();
  await app.signIn(world.demo.told.app_url);
});
