// A card from the administrator's page to the lock and back, everything real: the pages in Chromium, the server, the door
// controller over mutual TLS, a reader of libosdp on a line and a relay of pymodbus.
// Runs alone: the time from a card to the lock.

import assert from 'node:assert/strict';
import { Admin } from '../support/admin.mjs';
import { SIZES } from '../support/browser.mjs';
import { fits, look } from '../support/looks.mjs';
import { Site, until } from '../support/site.mjs';
import { t } from '../support/texts.mjs';
import { scenarios } from '../support/world.mjs';

const scenario = scenarios();
const DOOR = 'Bicycles';
/** 127-53471 in 26 bits (H10301), and how its number ends. */
const CARD = { bits: '3fe86f80', number: '127-53471', ending: '3471' };
/** 1-1 in 26 bits. */
const OWN = { bits: '80800080', number: '1-1', ending: '11' };
/** From a change to the door, ms. */
const AT_THE_DOOR = 2_000;

/** A new door of the demo's building, and its controller. */
async function installed(world, admin, door = DOOR) {
  const { origin } = world.demo;
  const { request } = admin.page.context();
  const { building } = world.town.bells.find(({ house }) => house === world.town.building);
  const made = await request.post(`${origin}/api/v1/buildings/${building}/doors`, { headers: { origin }, data: { name: door, everybody: true } });
  assert.equal(made.status(), 201);
  const site = await Site.install({ origin, request, building, door: (await made.json()).id, name: `Cellar, ${door}` });
  return { site, building };
}

async function administrator(world) {
  const admin = new Admin(await world.page('desktop'));
  await admin.signIn(world.demo.told.admin_url, world.demo.told.administrator);
  await admin.enter(world.town.building);
  return admin;
}

/** Holds the card until the reader shows this colour; how long that took, ms. */
async function becomes(site, card, colour) {
  const start = performance.now();
  await until(`${colour} at the reader`, async () => (await site.hold(card.bits)) === colour);
  return performance.now() - start;
}

scenario('a card is read at a door, given, opens it, is lost and opens nothing, is found and opens again', async (world) => {
  const [resident] = world.town.bell('individual').residents;
  const admin = await administrator(world);
  const { site } = await installed(world, admin);
  try {
    const { page, dialog } = admin;
    assert.equal(await site.hold(CARD.bits), 'red', 'nobody has it');
    await admin.section('admin-section-cards');
    await page.getByRole('button', { name: t('admin-card-add') }).click();
    await dialog.getByLabel(t('admin-pick-person'), { exact: true }).fill(resident.name);
    await dialog.getByRole('radio', { name: new RegExp(resident.name) }).first().check();
    await dialog.getByLabel(t('app-read-how'), { exact: true }).selectOption('reader');
    await dialog.getByLabel(t('app-read-reader'), { exact: true }).selectOption({ label: DOOR });
    await dialog.getByRole('button', { name: t('admin-card-give'), exact: true }).click();
    await dialog.getByText(t('app-read-first'), { exact: true }).waitFor();

    // cancelled: the reader goes back to what it does
    await dialog.getByRole('button', { name: t('app-read-start'), exact: true }).click();
    await dialog.getByText(t('app-read-hold', { reader: DOOR })).waitFor();
    await site.waits();
    await look(page, 'admin-card-read-waiting');
    await dialog.getByRole('status').getByText(t('app-read-hold', { reader: DOOR })).waitFor();
    await page.setViewportSize(SIZES.phone);
    await look(page, 'admin-card-read-waiting-phone');
    await fits(page, 'reading a card, phone');
    await page.setViewportSize(SIZES.desktop);
    await dialog.getByRole('button', { name: t('common-cancel'), exact: true }).click();
    await dialog.getByRole('button', { name: t('app-read-start'), exact: true }).waitFor();
    await becomes(site, CARD, 'red');

    await dialog.getByRole('button', { name: t('app-read-start'), exact: true }).click();
    await dialog.getByText(t('app-read-hold', { reader: DOOR })).waitFor();
    await becomes(site, CARD, 'blue');
    await dialog.getByText(CARD.number).waitFor();
    await dialog.getByText(t('app-card-copyable-hint')).waitFor();
    await look(page, 'admin-card-read');
    assert.equal(site.releases, 0, 'a card that is read opens nothing');
    await dialog.getByRole('button', { name: t('admin-card-give'), exact: true }).click();
    await dialog.getByText(t('admin-card-given', { card: t('app-card-name-usual'), name: resident.name })).waitFor();
    const given = await becomes(site, CARD, 'green');
    assert.ok(site.releases > 0);
    await site.locks();

    // the same card again: it is somebody's
    await dialog.getByRole('button', { name: t('app-read-start'), exact: true }).click();
    await dialog.getByText(t('app-read-hold', { reader: DOOR })).waitFor();
    await becomes(site, CARD, 'blue');
    await dialog.getByText(t('admin-card-taken', { name: resident.name, card: t('app-card-name-usual') })).waitFor();
    await look(page, 'admin-card-read-taken');
    await dialog.getByRole('button', { name: t('common-close'), exact: true }).click();
    await page.getByText(CARD.number).waitFor();

    // lost in the app
    const app = await world.app(resident);
    const phone = app.page;
    await phone.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
    const mine = phone.getByRole('region', { name: t('app-cards') });
    const one = mine.getByRole('listitem').filter({ hasText: t('app-card-ending', { ending: CARD.ending }) });
    await one.getByRole('button', { name: `${t('app-card-lost')}: ${t('app-card-name-usual')}` }).click();
    const lost = await becomes(site, CARD, 'red');
    assert.ok(lost <= AT_THE_DOOR, `a lost card opened for ${Math.round(lost)} ms`);
    await one.getByText(t('app-card-blocked'), { exact: true }).waitFor();
    await site.locks();
    const before = site.releases;
    for (let time = 0; time < 3; time += 1) assert.equal(await site.hold(CARD.bits), 'red');
    assert.equal(site.releases, before);

    // found
    await one.getByRole('button', { name: `${t('app-card-found')}: ${t('app-card-name-usual')}` }).click();
    const found = await becomes(site, CARD, 'green');
    assert.ok(found <= AT_THE_DOOR, `a card that was found opens after ${Math.round(found)} ms`);
    assert.equal(site.releases, before + 1);
    console.log(JSON.stringify({ ms: { given: Math.round(given), lost: Math.round(lost), found: Math.round(found) } }));
    site.saysNothingOf(CARD.number, CARD.bits, '3fe86f');
  } finally {
    await site.remove();
  }
});

scenario('a resident reads their own card at a door where the building leaves cards to them', async (world) => {
  const [resident] = world.town.bell('individual').residents;
  const admin = await administrator(world);
  const { site, building } = await installed(world, admin, 'Laundry');
  let removed;
  try {
    const { origin } = world.demo;
    const { request } = admin.page.context();
    const path = `${origin}/api/v1/buildings/${building}/policy`;
    const { version, policy } = await (await request.get(path)).json();
    const set = await request.put(path, { headers: { origin }, data: { version, policy: { ...policy, own_cards: true } } });
    assert.ok(set.ok());

    const app = await world.app(resident);
    const { page } = app;
    await page.getByRole('link', { name: t('app-tab-me'), exact: true }).click();
    const mine = page.getByRole('region', { name: t('app-cards') });
    await mine.getByRole('button', { name: t('app-card-add'), exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(t('app-card-name'), { exact: true }).fill('Blue');
    await dialog.getByLabel(t('app-read-how'), { exact: true }).selectOption('reader');
    const reader = `Laundry, ${world.town.building}`;
    await dialog.getByLabel(t('app-read-reader'), { exact: true }).selectOption({ label: reader });
    await dialog.getByRole('button', { name: t('app-read-start'), exact: true }).click();
    await dialog.getByText(t('app-read-hold', { reader })).waitFor();
    await site.waits();
    await look(page, 'app-card-read-waiting');
    await fits(page, 'reading one’s own card');
    await becomes(site, OWN, 'blue');
    await dialog.getByText(t('app-card-ending', { ending: OWN.ending })).waitFor();
    if ((await dialog.getByText(OWN.number).count()) > 0) throw new Error('the app tells the number');
    await look(page, 'app-card-read');
    assert.equal(site.releases, 0);
    await dialog.getByRole('button', { name: t('app-card-add'), exact: true }).click();
    await mine.getByText(t('app-card-added', { name: 'Blue' })).waitFor();
    await becomes(site, OWN, 'green');
    assert.equal(site.releases, 1);

    // the controller is gone while somebody waits
    await mine.getByRole('button', { name: t('app-card-add'), exact: true }).click();
    await dialog.getByLabel(t('app-read-how'), { exact: true }).selectOption('reader');
    await dialog.getByLabel(t('app-read-reader'), { exact: true }).selectOption({ label: reader });
    await dialog.getByRole('button', { name: t('app-read-start'), exact: true }).click();
    await site.waits();
    removed = site.remove();
    await removed;
    await dialog.getByText(t('app-read-offline'), { exact: true }).waitFor();
    await look(page, 'app-card-read-offline');
    await dialog.getByRole('button', { name: t('app-read-again'), exact: true }).click();
    await dialog.getByRole('alert').filter({ hasText: t('error-not-found') }).or(dialog.getByText(t('error-reader-offline'))).first().waitFor();
    await dialog.getByRole('button', { name: t('common-cancel'), exact: true }).click();
  } finally {
    if (!removed) await site.remove();
  }
});
