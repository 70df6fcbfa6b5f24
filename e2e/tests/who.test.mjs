// Who lives here, who may open, keys out: through the administrator's pages.

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
  const [resident] = world.town.bell('individual').residents;
  await world.app(resident);
  const admin = await open(world, 'admin-section-who');
  const { page } = admin;
  await admin.row('Kari Haugen').first().waitFor();
  await look(page, 'admin-who', { forced: true });
  await fits(page, 'who, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-who-phone');
  await fits(page, 'who, phone');
  await page.setViewportSize(SIZES.desktop);
  // one of them can be rung: who signed in
  const counted = (key, count) => page.getByRole('button', { name: t(key, { count }), exact: true });
  await counted('admin-who-rung', 1).click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await admin.row(resident.name).getByText(t('admin-reach-yes')).waitFor();
  await page.getByRole('button', { name: /cannot be rung/ }).click();
  await page.getByRole('searchbox').fill(resident.name);
  await page.getByText(t('admin-who-none-found')).waitFor();
  await look(page, 'admin-who-none-found');
  await page.getByRole('searchbox').fill('rolf');
  await admin.row('Rolf Østby').getByText(t('admin-home-no-account')).waitFor();
  await admin.section('admin-section-overview');
  await page.getByRole('link', { name: pattern('admin-figure-who') }).getByText(t('admin-of', { good: 1, all: 80 })).waitFor();
}, { fresh: true });

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
  await admin.row('Anna Sørli').first().waitFor();
  await page.getByText(t('admin-ghosts-none')).waitFor();

  // a home where nobody lives, with doors and a button
  await page.evaluate(async () => {
    const building = location.pathname.split('/')[3];
    const at = (path) => `/api/v1/buildings/${building}/${path}`;
    const get = async (path) => (await fetch(at(path))).json();
    const post = async (path, body) =>
      fetch(at(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const [[entrance], [door], [panel]] = [await get('entrances'), await get('doors'), await get('panels')];
    await post('units', { entrance: entrance.id, numbers: '7777', doors: [door.id] });
    const unit = (await get('units?text=7777')).items.find(({ number }) => number === '7777');
    await post('bells', { panel: panel.id, unit: unit.id, label: 'Forgotten', kind: 'parallel', members: [] });
  });
  await admin.section('admin-section-overview');
  await page.reload();
  await admin.loaded();
  await page.getByRole('link', { name: /2 rights and buttons/ }).click();
  const bell = page.getByText(t('admin-ghost-bell', { text: 'Forgotten', unit: '7777' }), { exact: true });
  await bell.waitFor();
  await page.getByText(/7777 opens/).waitFor();
  await look(page, 'admin-keys');
  await fits(page, 'keys, desktop');
  await page.setViewportSize(SIZES.phone);
  await look(page, 'admin-keys-phone');
  await fits(page, 'keys, phone');
  await page.setViewportSize(SIZES.desktop);
  await page.getByRole('listitem').filter({ has: bell }).getByRole('button').click();
  await admin.dialog.getByRole('button', { name: t('admin-ghost-remove') }).click();
  await page.getByText(t('admin-ghost-gone')).waitFor();
  await bell.waitFor({ state: 'detached' });
  await admin.section('admin-section-audit');
  await page.getByText(t('admin-audit-bell-removed')).first().waitFor();
}, { fresh: true });
