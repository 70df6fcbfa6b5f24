// Records of use in a workplace, everything real: the pages in Chromium, the server, the door controller over mutual TLS and a
// reader of libosdp on a line. Where people live there is nothing to switch on.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { Site, until } from '../support/site.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const DOOR = 'Storeroom';
const PURPOSE = 'Thefts from the storeroom';
/** 127-53471 in 26 bits (H10301). */
const CARD = { bits: '3fe86f80', number: '127-53471' };

async function administrator(world) {
  const admin = new Admin(await world.page('desktop'));
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  return admin;
}

/** The API as the administrator asks it. */
function asking(world, admin) {
  const { origin } = world.demo;
  const { request } = admin.page.context();
  return async (method, path, data) => {
    const answer = await request.fetch(`${origin}/api/v1${path}`, { method, data, headers: { origin } });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.status() === 204 ? undefined : answer.json();
  };
}

const today = () => {
  const now = new Date();
  return [now.getFullYear(), String(now.getMonth() + 1).padStart(2, '0'), String(now.getDate()).padStart(2, '0')].join('-');
};

scenario('where people live there is nothing to switch on, and one sentence says why', async (world) => {
  const admin = await administrator(world);
  const { page } = admin;
  await admin.enter(world.town.building);
  const menu = page.getByRole('navigation').getByRole('link', { name: t('admin-section-records'), exact: true });
  assert.equal(await menu.count(), 0);
  await admin.section('admin-section-audit');
  await page.getByText(t('admin-records-never')).waitFor();
  const { building } = world.town.bells.find(({ house }) => house === world.town.building);
  await page.goto(`${world.demo.origin}/admin/buildings/${building}/records`);
  await page.getByText(t('admin-records-never')).waitFor();
  assert.equal(await page.getByRole('button', { name: t('admin-records-ask') }).count(), 0);
  assert.equal(await menu.count(), 0);
  await look(page, 'admin-records-never');

  const [resident] = world.town.bell('individual').residents;
  const app = await world.app(resident);
  await app.page.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
  await app.page.getByRole('region', { name: t('app-privacy') }).getByText(t('app-records-none', { building: world.town.building })).waitFor();
});

scenario('a workplace keeps records for a purpose: the administrator reads one line, the person sees it and who read; off, it is gone', async (world) => {
  const admin = await administrator(world);
  const { page, dialog } = admin;
  const ask = asking(world, admin);
  const house = (await ask('GET', '/buildings')).find(({ kind }) => kind === 'commercial');
  const { residents } = world.town.bells.find((bell) => bell.building === house.id && bell.residents.length > 0);
  const [resident] = residents;
  const door = await ask('POST', `/buildings/${house.id}/doors`, { name: DOOR, everybody: true });
  const { origin } = world.demo;
  const site = await Site.install({ origin, request: page.context().request, building: house.id, door: door.id, name: 'Riser, store' });
  try {
    const app = await world.app(resident);
    const phone = app.page;
    const [{ id: person }] = (await ask('GET', `/people?text=${encodeURIComponent(resident.name)}`)).items;
    await ask('POST', `/buildings/${house.id}/cards`, { person, name: 'Blue', kind: 'wiegand26', number: CARD.number });
    const opens = () => until('green at the reader', async () => (await site.hold(CARD.bits)) === 'green');
    // before: it opens, and nothing is kept of it
    await opens();
    await site.locks();

    await admin.enter(house.name);
    await admin.section('admin-section-records');
    await page.getByRole('heading', { name: t('admin-records-off') }).waitFor();
    await page.getByText(t('admin-records-cost-text')).waitFor();
    await page.getByRole('button', { name: t('admin-records-ask') }).click();
    await look(page, 'admin-records-off');
    await page.setViewportSize(SIZES.phone);
    await look(page, 'admin-records-off-phone');
    await fits(page, 'switching records on, phone');
    await page.setViewportSize(SIZES.desktop);
    await page.getByLabel(t('admin-records-purpose'), { exact: true }).fill('Thefts');
    await page.getByLabel(t('admin-records-told'), { exact: true }).fill(today());
    await page.getByRole('button', { name: t('admin-records-begin'), exact: true }).click();
    await page.getByRole('button', { name: `${t('admin-records-purpose')}: ${t('error-too-short')}` }).waitFor();
    await look(page, 'admin-records-wrong');
    await page.getByLabel(t('admin-records-purpose'), { exact: true }).fill(PURPOSE);
    await page.getByRole('button', { name: t('admin-records-begin'), exact: true }).click();
    await page.getByText(t('admin-records-noted'), { exact: true }).waitFor();

    // the reader is told at once, and from then on a card is a line
    const rows = page.getByRole('row').filter({ hasText: DOOR });
    const read = async () => {
      await page.getByRole('button', { name: t('admin-records-show') }).click();
      await page.getByRole('table').or(page.getByRole('heading', { name: t('admin-records-none') })).waitFor();
      await admin.loaded();
      return rows.count();
    };
    assert.equal(await read(), 0, 'what was before is never told of');
    await look(page, 'admin-records-none');
    await until('a line', async () => {
      await opens();
      await site.locks();
      return read();
    });
    const row = rows.first();
    await row.getByRole('link', { name: resident.name }).waitFor();
    await row.getByText(t('app-use-opened'), { exact: true }).waitFor();
    assert.ok(!(await page.locator('main').innerText()).includes(CARD.number.slice(-5)), 'no number of a card');
    await look(page, 'admin-records', { forced: true });
    await fits(page, 'records, desktop');
    await page.setViewportSize(SIZES.phone);
    await look(page, 'admin-records-phone');
    await fits(page, 'records, phone');
    await page.setViewportSize(SIZES.desktop);

    // as a file, with what for
    await page.getByRole('button', { name: t('admin-people-csv') }).click();
    await dialog.getByLabel(t('admin-records-csv-purpose')).fill('Asked for by the police');
    await look(page, 'admin-records-csv');
    const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: t('admin-records-csv-take') }).click()]);
    const text = await readFile(await file.path(), 'utf8');
    assert.ok(text.includes(DOOR) && text.includes(resident.name), text);
    await dialog.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: t('admin-records-tab-readings'), exact: true }).click();
    await page.getByText(t('admin-records-for', { purpose: 'Asked for by the police' })).waitFor();
    await look(page, 'admin-records-readings');

    // the person sees the same, and who has read
    await phone.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
    const privacy = phone.getByRole('region', { name: t('app-privacy') });
    await privacy.getByText(t('app-records-kept', { building: house.name })).waitFor();
    await privacy.getByText(t('app-records-purpose', { purpose: PURPOSE })).waitFor();
    await privacy.getByRole('listitem').filter({ hasText: DOOR }).getByText(t('app-use-opened'), { exact: true }).first().waitFor();
    await privacy.getByRole('button', { name: t('app-records-show-readers') }).click();
    await privacy.getByText(t('app-records-of-all', { building: house.name })).first().waitFor();
    await privacy.scrollIntoViewIfNeeded();
    await look(phone, 'app-records');
    await fits(phone, 'what is kept of one');

    // off: asked again, then gone for everybody
    await page.getByRole('button', { name: t('admin-records-tab-kept'), exact: true }).click();
    await look(page, 'admin-records-kept');
    await page.getByRole('button', { name: t('admin-records-end'), exact: true }).click();
    await dialog.getByText(t('admin-records-end-text')).waitFor();
    await look(page, 'admin-records-end');
    await dialog.getByRole('button', { name: t('admin-records-end'), exact: true }).click();
    await page.getByRole('heading', { name: t('admin-records-off') }).waitFor();
    await app.reload();
    await privacy.getByText(t('app-records-none', { building: house.name })).waitFor();
    assert.equal(await privacy.getByText(DOOR).count(), 0);
    await opens();
    await site.locks();

    // switched on again, nothing comes back
    const policy = await ask('GET', `/buildings/${house.id}/records/policy`);
    await ask('PUT', `/buildings/${house.id}/records/policy`, { version: policy.version, purpose: PURPOSE, days: 1, told_on: today() });
    assert.deepEqual((await ask('GET', `/buildings/${house.id}/records`)).items, []);
    await ask('DELETE', `/buildings/${house.id}/records/policy`);
    site.saysNothingOf(CARD.number, resident.name);
  } finally {
    await site.remove();
  }
}, { fresh: true });
