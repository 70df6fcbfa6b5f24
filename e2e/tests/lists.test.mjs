// Long lists: sorted, paged and narrowed by the server, by keyboard and by pointer; the focus stays with its row.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { look } from '../support/looks.mjs';
import { pattern, t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();

async function section(world, key, size = 'desktop') {
  const admin = new Admin(await world.page(size));
  const { admin_url, administrator } = world.demo.told;
  await admin.signIn(admin_url, administrator);
  await admin.enter(world.town.building);
  await admin.section(key);
  return admin;
}

const heading = (page, key) => page.getByRole('columnheader', { name: t(key), exact: true });
const sorted = (page, key, order) => page.getByRole('columnheader', { name: t(key), exact: true }).and(page.locator(`[aria-sort=${order}]`)).waitFor();
/** The texts of a column once nothing is waited for. */
async function column(page, index) {
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
  return page.locator('tbody tr').evaluateAll((lines, at) => lines.map((line) => line.querySelectorAll('td:not(.pick)')[at].innerText.trim()), index);
}
const numbers = new Intl.Collator('en', { numeric: true });
const asked = (page, name) => new URL(page.url()).searchParams.get(name);

scenario('people are sorted by their home, by keyboard; the order is in the address, in a saved view and in the file', async (world) => {
  const admin = await section(world, 'admin-section-people');
  const { page } = admin;
  await sorted(page, 'admin-name', 'ascending');
  const names = await column(page, 0);
  await heading(page, 'admin-unit').getByRole('button').focus();
  await page.keyboard.press('Enter');
  await sorted(page, 'admin-unit', 'ascending');
  const homes = await column(page, 1);
  assert.notDeepEqual(await column(page, 0), names);
  // who has two homes is listed at the first
  const first = homes.map((home) => home.split(',').toSorted(numbers.compare)[0]);
  assert.deepEqual(first, first.toSorted(numbers.compare));
  assert.equal(asked(page, 'sort'), 'home');
  await heading(page, 'admin-unit').getByRole('button').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Space');
  await sorted(page, 'admin-unit', 'descending');
  const last = (await column(page, 1)).map((home) => home.split(',').toSorted(numbers.compare)[0]);
  assert.deepEqual(last, last.toSorted(numbers.compare).toReversed());
  assert.ok(numbers.compare(last[0], first[0]) > 0);

  // the second page goes on where the first ended
  const next = page.getByRole('button', { name: t('admin-ground-next') });
  await next.focus();
  await page.keyboard.press('Enter');
  await page.getByText(pattern('admin-ground-range', { from: '51' })).waitFor();
  const after = await column(page, 1);
  // until the page is there, the one before stands in its place
  await page.getByText(t('admin-ground-range', { from: 51, to: 50 + after.length }), { exact: true }).waitFor();
  const second = after.map((home) => home.split(',').toSorted(numbers.compare)[0]);
  assert.ok(numbers.compare(last.at(-1), second[0]) >= 0);

  await page.getByRole('button', { name: t('admin-ground-view-save') }).click();
  await page.getByLabel(t('admin-ground-view-name')).fill('From the top');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: t('admin-ground-view-all'), exact: true }).click();
  await sorted(page, 'admin-name', 'ascending');
  assert.equal(asked(page, 'sort'), null);
  await page.getByRole('button', { name: 'From the top' }).click();
  await sorted(page, 'admin-unit', 'descending');
  await page.reload();
  await admin.loaded();
  await sorted(page, 'admin-unit', 'descending');
  await look(page, 'admin-people-by-home');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: t('admin-people-csv') }).click()]);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  assert.equal(lines[1].split(',')[4], (await column(page, 1))[0].split(',')[0]);

  await page.setViewportSize(SIZES.phone);
  await heading(page, 'admin-unit').getByRole('button').click();
  await sorted(page, 'admin-unit', 'ascending');
  await look(page, 'phone-admin-people-by-home');
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
});

scenario('4,000 homes of one building open at once, are gone through and found, and are a file', async (world) => {
  const admin = await section(world, 'admin-section-overview');
  const { page } = admin;
  const { origin } = world.demo;
  const api = page.context().request;
  const post = async (path, data) => {
    const answer = await api.post(`${origin}/api/v1${path}`, { headers: { origin }, data });
    assert.equal(answer.status(), 201, await answer.text());
    return answer.json();
  };
  const building = await post('/buildings', { name: 'Long house', address: 'Long street 1', kind: 'residential', time_zone: 'Europe/Oslo' });
  const [west, east] = [await post(`/buildings/${building.id}/entrances`, { name: 'West' }), await post(`/buildings/${building.id}/entrances`, { name: 'East' })];
  for (const [entrance, numbers] of [[west, '1-9,10-99,100-999,1000'], [west, '1001-2000'], [east, '2001-3000'], [east, '3001-4000']])
    await post(`/buildings/${building.id}/units`, { entrance: entrance.id, numbers, doors: [] });

  const begun = Date.now();
  await page.goto(`${origin}/admin/buildings/${building.id}/units`);
  await page.getByRole('rowheader').first().waitFor();
  const took = Date.now() - begun;
  console.log(`4,000 homes: the first page was there after ${took} ms`);
  const shown = (from) => Array.from({ length: 100 }, (_, at) => String(from + at));
  assert.deepEqual(await column(page, 0), shown(1), 'by value, one page');
  await page.getByRole('button', { name: `${t('admin-entrance-all')} 4000` }).waitFor();
  await page.getByRole('button', { name: t('admin-ground-next') }).focus();
  await page.keyboard.press('Enter');
  await page.getByText(t('admin-ground-range', { from: 101, to: 200 })).waitFor();
  assert.deepEqual(await column(page, 0), shown(101));
  // a page does not shift when a home before it goes
  const [gone] = (await (await api.get(`${origin}/api/v1/buildings/${building.id}/units?text=50&limit=1`)).json()).items;
  assert.equal(gone.number, '50');
  const removed = await api.delete(`${origin}/api/v1/units/${gone.id}`, { headers: { origin } });
  assert.equal(removed.status(), 204, await removed.text());
  await page.waitForResponse((answer) => answer.url().includes('/units?') && answer.ok());
  assert.deepEqual(await column(page, 0), shown(101));
  await look(page, 'admin-units-4000');
  await page.reload();
  await page.getByRole('button', { name: `${t('admin-entrance-all')} 3999` }).waitFor();
  await heading(page, 'admin-unit').getByRole('button').click();
  await sorted(page, 'admin-unit', 'descending');
  assert.deepEqual((await column(page, 0)).slice(0, 3), ['4000', '3999', '3998']);
  await page.getByRole('button', { name: 'West 1999' }).click();
  await page.getByRole('rowheader', { name: '2000', exact: true }).waitFor();
  assert.equal(asked(page, 'entrance'), west.id);
  await page.getByRole('searchbox').fill('199');
  await page.getByRole('rowheader', { name: '199', exact: true }).waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: t('admin-ground-csv') }).click()]);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n').slice(1).map((line) => line.split(',')[0]);
  assert.deepEqual(lines, [...Array.from({ length: 10 }, (_, at) => String(1999 - at)), '199']);
  await page.getByRole('searchbox').fill('nowhere');
  await page.getByText(t('admin-who-none-found')).waitFor();
  await look(page, 'admin-units-none-found');
}, { fresh: true });

scenario('doorbells are found by text, name and unit, sorted, and opened from the list', async (world) => {
  const admin = await section(world, 'admin-section-bells');
  const { page } = admin;
  const bell = world.town.bell('individual');
  await heading(page, 'admin-bell-text').getByRole('button').click();
  await sorted(page, 'admin-bell-text', 'ascending');
  const order = new Intl.Collator('nb');
  const texts = await column(page, 0);
  assert.deepEqual(texts, texts.toSorted(order.compare));
  await heading(page, 'admin-unit').getByRole('button').focus();
  await page.keyboard.press('Enter');
  await sorted(page, 'admin-unit', 'ascending');
  const units = await column(page, 2);
  assert.deepEqual(units, units.toSorted(numbers.compare));
  await look(page, 'admin-bells-by-unit');
  await page.keyboard.press('/');
  await page.getByRole('searchbox').and(page.locator(':focus')).waitFor();
  for (const typed of [bell.label, bell.unit, bell.residents[0].name]) {
    await page.getByRole('searchbox').fill(typed);
    await page.waitForFunction(() => !document.querySelector('[aria-busy=true]') && document.querySelectorAll('tbody tr').length < 20);
    assert.ok((await column(page, 0)).includes(bell.label), typed);
  }
  await page.getByRole('rowheader').getByRole('button', { name: bell.label, exact: true }).first().focus();
  await page.keyboard.press('e');
  await page.getByLabel(t('admin-bell-text'), { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('searchbox').fill('qqqq');
  await page.getByText(t('admin-bells-none-found')).waitFor();
});

scenario('an undo that moves a row leaves the focus where it was', async (world) => {
  const admin = await section(world, 'admin-section-bells');
  const { page } = admin;
  const panel = world.town.bell('individual').panel.name.split(': ').at(-1);
  await page.getByRole('button', { name: t('admin-order-title', { panel }), exact: true }).click();
  const list = page.getByRole('list', { name: t('admin-order-title', { panel }) });
  const words = () => list.locator('.words').allInnerTexts();
  await list.getByRole('listitem').first().waitFor();
  const before = await words();
  const down = list.getByRole('button', { name: t('admin-order-down', { name: before[0] }), exact: true });
  await down.focus();
  await page.keyboard.press('Enter');
  await page.getByText(t('admin-order-saved')).waitFor();
  await page.waitForFunction(([first, label]) => document.querySelector(`ol[aria-label="${label}"] .words`).innerText !== first, [before[0], t('admin-order-title', { panel })]);
  await down.and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Control+z');
  await page.getByText(t('admin-ground-undone')).waitFor();
  await page.waitForFunction(([first, label]) => document.querySelector(`ol[aria-label="${label}"] .words`).innerText === first, [before[0], t('admin-order-title', { panel })]);
  assert.deepEqual(await words(), before);
  await down.and(page.locator(':focus')).waitFor();

  // by the button of the message, which goes with what it took back
  await page.keyboard.press('Enter');
  await page.waitForFunction(([first, label]) => document.querySelector(`ol[aria-label="${label}"] .words`).innerText !== first, [before[0], t('admin-order-title', { panel })]);
  const undo = page.getByRole('button', { name: t('admin-ground-undo'), exact: true });
  await undo.last().focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(([first, label]) => document.querySelector(`ol[aria-label="${label}"] .words`).innerText === first, [before[0], t('admin-order-title', { panel })]);
  await down.and(page.locator(':focus')).waitFor();
}, { fresh: true });

scenario('moves to come and done are shown in parts', async (world) => {
  const admin = await section(world, 'admin-section-people');
  const { page } = admin;
  const { origin } = world.demo;
  const api = page.context().request;
  const building = new URL(page.url()).pathname.split('/')[3];
  const { items } = await (await api.get(`${origin}/api/v1/buildings/${building}/units?limit=30`)).json();
  for (const unit of items.slice(0, 25)) {
    const data = { into: [{ name: `Ny ${unit.number}` }] };
    const answer = await api.post(`${origin}/api/v1/units/${unit.id}/moves`, { headers: { origin }, data });
    assert.equal(answer.status(), 201, await answer.text());
  }
  await page.reload();
  const proofs = page.getByRole('region', { name: t('admin-moves') }).getByRole('button', { name: new RegExp(`^${t('admin-move-proof')}`) });
  await proofs.nth(19).waitFor();
  assert.equal(await proofs.count(), 20);
  const more = page.getByRole('button', { name: t('admin-moves-more') });
  await more.focus();
  await page.keyboard.press('Enter');
  await proofs.nth(24).waitFor();
  await more.waitFor({ state: 'detached' });
  assert.equal(await proofs.count(), 25);
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BODY', 'the focus is lost');
  await look(page, 'admin-moves-more');
}, { fresh: true });
